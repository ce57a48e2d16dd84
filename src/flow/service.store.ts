import sql, { type Sql } from 'sql-template-tag';
import { type Dialect, literal } from '../database/dialects/dialect.js';
import { change, type Row, type Script, select } from '../database/transaction.js';

/** What operators have set for a service. */
export interface ServiceState {
  service: string;
  paused: boolean;
  /** When the pause ends by itself. null: it lasts until somebody ends it. */
  pausedUntil: Date | null;
  /** Why, in the operator's words. */
  note: string | null;
  changedBy: string | null;
  changedAt: Date;
}

/** A change of a service. undefined leaves a value unchanged, null removes it. */
export interface ServiceChange {
  paused?: boolean | undefined;
  pausedUntil?: Date | null | undefined;
  note?: string | null | undefined;
  changedBy?: string | null | undefined;
}

/** Services that operators have changed. */
export class ServiceStore {
  private readonly table: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('services');
  }

  /** Names of the services that are paused now, by the database's clock. */
  *paused(): Script<string[]> {
    const rows = yield* select<{ id: string }>(sql`SELECT id FROM ${this.table} WHERE ${this.isPaused}`);
    return rows.map(({ id }) => id);
  }

  *list(): Script<ServiceState[]> {
    return (yield* select(sql`SELECT ${this.columns} FROM ${this.table} ORDER BY id`)).map(toState);
  }

  *find(service: string): Script<ServiceState | undefined> {
    const rows = yield* select(sql`SELECT ${this.columns} FROM ${this.table} WHERE id = ${service}`);
    return rows.map(toState)[0];
  }

  /** Creates the row if there is none, changes it, and returns it. */
  *change(service: string, { paused, pausedUntil, note, changedBy }: ServiceChange): Script<ServiceState> {
    const { dialect, table } = this;
    yield* change(
      sql`INSERT INTO ${table} (id, changed_at) VALUES (${service}, ${dialect.now})
        ${dialect.onDuplicate(sql`changed_at = ${dialect.now}`)}`,
    );
    if (paused !== undefined)
      yield* change(sql`UPDATE ${table} SET paused = ${literal(paused ? 1 : 0)} WHERE id = ${service}`);
    if (pausedUntil !== undefined)
      yield* change(
        sql`UPDATE ${table} SET paused_until = ${pausedUntil && dialect.utcValue(pausedUntil)} WHERE id = ${service}`,
      );
    if (note !== undefined) yield* change(sql`UPDATE ${table} SET note = ${note} WHERE id = ${service}`);
    yield* change(sql`UPDATE ${table} SET changed_by = ${changedBy ?? null} WHERE id = ${service}`);
    return (yield* this.find(service))!;
  }

  private get isPaused(): Sql {
    return sql`paused = 1 AND (paused_until IS NULL OR paused_until > ${this.dialect.now})`;
  }

  private get columns(): Sql {
    const { dialect } = this;
    const time = (column: string): Sql => sql`${dialect.utc(column)} AS ${dialect.id(`${column}_iso`)}`;
    return sql`id, CASE WHEN ${this.isPaused} THEN 1 ELSE 0 END AS is_paused, note, changed_by,
      ${time('paused_until')}, ${time('changed_at')}`;
  }
}

function toState(row: Row): ServiceState {
  const paused = Number(row.is_paused) === 1;
  return {
    service: row.id as string,
    paused,
    // The end of an earlier pause says nothing any more.
    pausedUntil: paused && row.paused_until_iso !== null ? new Date(row.paused_until_iso as string | number) : null,
    note: row.note as string | null,
    changedBy: row.changed_by as string | null,
    changedAt: new Date(row.changed_at_iso as string | number),
  };
}
