import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { TaskStatusCatalogue } from '../contract/status.js';
import { type Dialect, list, literal } from '../database/dialects/dialect.js';
import { idleStatuses, isRunning } from '../database/dialects/running.js';
import { change, post, type Row, type Script, select } from '../database/transaction.js';
import type { Credit } from './credit.js';
import { type Asked, type Running, RunningStore } from './running.store.js';
import { type Fair, type GivenSettings, isCounted, type Rate, turnOf } from './settings.js';

/** The row of a service. */
export interface StoredService extends GivenSettings, Credit {
  service: string;
  changedBy: string | null;
  /** null: nobody has set anything. */
  changedAt: Date | null;
}

/** A change of a service. undefined leaves a value unchanged, null removes it. */
export interface ServiceChange {
  paused?: boolean | null | undefined;
  pausedUntil?: Date | null | undefined;
  note?: string | null | undefined;
  maxRunning?: number | null | undefined;
  rate?: Rate | null | undefined;
  maxRunningPerOwner?: number | null | undefined;
  fair?: Fair | null | undefined;
  changedBy?: string | null | undefined;
}

/** The rows of services. */
export class ServiceStore {
  readonly running: RunningStore;
  private readonly table: Sql;

  constructor(
    private readonly dialect: Dialect,
    private readonly status: TaskStatusCatalogue,
  ) {
    this.table = dialect.beside('services');
    this.running = new RunningStore(dialect);
  }

  /** All rows, and the time of the database. */
  *all(): Script<{ rows: StoredService[]; now: Date }> {
    const [clock, rows] = yield [
      sql`SELECT ${this.dialect.clock} AS softdd_now`,
      sql`SELECT ${this.columns} FROM ${this.table}`,
    ];
    return { rows: rows!.rows.map(toStored), now: new Date(clock!.rows[0]!.softdd_now as string | number) };
  }

  *list(): Script<StoredService[]> {
    return (yield* select(sql`SELECT ${this.columns} FROM ${this.table} ORDER BY id`)).map(toStored);
  }

  *find(service: string): Script<StoredService | undefined> {
    const rows = yield* select(sql`SELECT ${this.columns} FROM ${this.table} WHERE id = ${service}`);
    return rows.map(toStored)[0];
  }

  /** The time of the database. */
  *now(): Script<Date> {
    const [row] = yield* select(sql`SELECT ${this.dialect.clock} AS softdd_now`);
    return new Date(row!.softdd_now as string | number);
  }

  /**
   * Locks the rows of these services, in their order, and skips those that others hold unless it waits. What runs, and
   * the time, are statements behind it in the same packet.
   */
  *lock(
    services: readonly string[],
    waits: boolean,
    asked: Asked,
  ): Script<{ locked: StoredService[]; running: Running; now: Date }> {
    const { dialect } = this;
    const [rows, clock, ...counts] = yield [
      sql`SELECT ${this.columns} FROM ${this.table} WHERE id IN (${list([...services])})
        ORDER BY id ${waits ? dialect.forUpdate : dialect.skipLocked}`,
      sql`SELECT ${dialect.clock} AS softdd_now`,
      ...this.running.statements(asked),
    ];
    return {
      locked: rows!.rows.map(toStored),
      running: this.running.read(asked, counts),
      now: new Date(clock!.rows[0]!.softdd_now as string | number),
    };
  }

  /** What is left of a rate at a time. */
  *spend(service: string, credit: number, at: Date): Script<void> {
    const { dialect, table } = this;
    yield* post(
      sql`UPDATE ${table} SET credit = ${literal(credit)}, credit_at = ${dialect.utcValue(at)} WHERE id = ${service}`,
    );
  }

  /** Makes the rows that are missing, so that they can be locked. */
  *ensure(services: readonly string[]): Script<void> {
    for (const service of services) yield* change(this.dialect.insertNew(this.table, sql`(id) VALUES (${service})`));
  }

  /** Whether the set of running tasks is a table of its own, which may keep entries of tasks that do not run. */
  get mayHaveOrphans(): boolean {
    return this.dialect.running.rows !== this.dialect.table;
  }

  /** At most `limit` entries of these services in the set of running tasks whose tasks do not run. Takes no locks. */
  *orphans(services: readonly string[], limit: number): Script<Row[]> {
    const { table, running } = this.dialect;
    const runs = raw(isRunning(this.status, 't.'));
    return yield* select(
      sql`SELECT r.service, r.user_id, r.task_id FROM ${running.rows} r LEFT JOIN ${table} t ON t.id = r.task_id
        AND t.service = r.service AND t.user_id = r.user_id AND ${runs}
        WHERE r.service IN (${list([...services])}) AND t.id IS NULL LIMIT ${literal(limit)}`,
    );
  }

  *removeOrphans(services: readonly string[], limit: number): Script<void> {
    yield* this.lock(services, true, NONE);
    for (const { service, user_id, task_id } of yield* this.orphans(services, limit))
      yield* post(
        sql`DELETE FROM ${this.dialect.running.rows}
          WHERE service = ${service} AND user_id = ${user_id} AND task_id = ${task_id}`,
      );
  }

  /** Ids of running tasks of these services that do not count yet, at most `limit`. Takes no locks. */
  *unmarked(services: readonly string[], limit: number): Script<string[]> {
    const { dialect } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.table} WHERE ${dialect.dueAt} IS NOT NULL AND limited IS NULL
        AND status NOT IN (${join(idleStatuses(this.status).map(literal))})
        AND service IN (${list([...services])}) LIMIT ${literal(limit)}`,
    );
    return rows.map(({ id }) => id);
  }

  /** Marks those of these tasks that still run. */
  *mark(ids: string[]): Script<void> {
    const { dialect } = this;
    yield* change(
      sql`UPDATE ${dialect.table} SET limited = 1 WHERE ${dialect.idIn(ids)} AND limited IS NULL
        AND status NOT IN (${join(idleStatuses(this.status).map(literal))})`,
    );
  }

  /** Pauses a service for some seconds from now, unless it is paused for longer. */
  *pauseFor(service: string, seconds: number, by: string | null): Script<void> {
    const { dialect, table } = this;
    const until = dialect.after(seconds);
    yield* this.ensure([service]);
    yield* change(
      sql`UPDATE ${table} SET paused = 1, paused_until = ${until}, changed_by = ${by}, changed_at = ${dialect.now}
        WHERE id = ${service} AND (paused IS NULL OR paused = 0 OR paused_until < ${until})`,
    );
  }

  /** Creates the row if there is none, changes it, and returns it. */
  *change(service: string, changes: ServiceChange): Script<StoredService> {
    const { dialect, table } = this;
    const { paused, pausedUntil, note, maxRunning, rate, maxRunningPerOwner, fair, changedBy } = changes;
    yield* change(
      sql`INSERT INTO ${table} (id, changed_at) VALUES (${service}, ${dialect.now})
        ${dialect.onDuplicate(sql`changed_at = ${dialect.now}`)}`,
    );
    const values: [string, unknown][] = [
      ['paused', paused === undefined || paused === null ? paused : paused ? 1 : 0],
      ['paused_until', pausedUntil && dialect.utcValue(pausedUntil)],
      ['note', note],
      ['max_running', maxRunning],
      ['max_running_per_owner', maxRunningPerOwner],
      ['fair', fair === undefined || fair === null ? fair : FAIR.indexOf(fair)],
      ...(rate === undefined
        ? []
        : (['max', 'per', 'burst'] as const).map((name): [string, unknown] => [`rate_${name}`, rate?.[name] ?? null])),
      ['changed_by', changedBy ?? null],
    ];
    const assignments = values
      .filter(([, value]) => value !== undefined)
      .map(([column, value]) => sql`${dialect.id(column)} = ${typeof value === 'number' ? literal(value) : value}`);
    yield* change(sql`UPDATE ${table} SET ${join(assignments)} WHERE id = ${service}`);
    return (yield* this.find(service))!;
  }

  private get columns(): Sql {
    const { dialect } = this;
    const time = (column: string): Sql => sql`${dialect.utc(column)} AS ${dialect.id(`${column}_iso`)}`;
    return sql`id, paused, CASE WHEN paused_until <= ${dialect.now} THEN 1 ELSE 0 END AS is_over, note, max_running, max_running_per_owner, fair,
      rate_max, rate_per, rate_burst, credit, ${time('credit_at')}, changed_by, ${time('paused_until')}, ${time('changed_at')}`;
  }
}

const NONE: Asked = { total: [], owners: [], groups: [] };

/** As the table keeps it. */
const FAIR: readonly Fair[] = [false, true, 'group'];

/** What to count of services with these settings. */
export function askedOf(settings: Iterable<readonly [service: string, settings: GivenSettings]>): Asked {
  const all = [...settings];
  const some = (fits: (settings: GivenSettings) => boolean): string[] =>
    all.filter(([, given]) => fits(given)).map(([service]) => service);
  const needsOwners = (given: GivenSettings): boolean => turnOf(given) === 'owner' || given.maxRunningPerOwner !== null;
  return {
    total: some((given) => isCounted(given) && given.maxRunning !== null && !needsOwners(given)),
    owners: some(needsOwners),
    groups: some((given) => turnOf(given) === 'group'),
  };
}

const timeOf = (value: unknown): Date | null => (value === null ? null : new Date(value as string | number));
const numberOf = (value: unknown): number | null => (value === null ? null : Number(value));

function toStored(row: Row): StoredService {
  const isPause = Number(row.paused) === 1;
  // The pause has ended by itself, and says nothing any more.
  const isOver = isPause && Number(row.is_over) === 1;
  const [max, per, burst] = [numberOf(row.rate_max), numberOf(row.rate_per), numberOf(row.rate_burst)];
  return {
    service: row.id as string,
    paused: row.paused === null || isOver ? null : isPause,
    pausedUntil: isPause && !isOver ? timeOf(row.paused_until_iso) : null,
    note: row.note as string | null,
    maxRunning: numberOf(row.max_running),
    rate: max === null || per === null ? null : { max, per, burst: burst ?? max },
    maxRunningPerOwner: numberOf(row.max_running_per_owner),
    fair: row.fair === null ? null : (FAIR[Number(row.fair)] ?? null),
    weight: null,
    credit: numberOf(row.credit),
    at: timeOf(row.credit_at_iso),
    changedBy: row.changed_by as string | null,
    changedAt: timeOf(row.changed_at_iso),
  };
}
