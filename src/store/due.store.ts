import sql, { type Sql } from 'sql-template-tag';
import { type Dialect, list, literal, type TaskTable } from './dialect.js';
import { change, type Script, select } from './transaction.js';

/** What the sweeper must know of a row whose time has come. */
export interface DueRow {
  id: string;
  service: string;
  status: number;
  attempts: number;
  maxAttempts: number | null;
  leaseToken: string | null;
}

/** Seconds after their end that tasks are kept; undefined: for ever. */
export interface Retention {
  finished?: number | undefined;
  failed?: number | undefined;
}

/** Rows whose time has come: due, lapsed, or to be forgotten. */
export class DueStore {
  constructor(
    private readonly dialect: Dialect,
    private readonly options: TaskTable,
  ) {}

  /** Ids of rows whose time has come, longest ago first. Locks nothing: mostly there are none. */
  *ids(limit: number): Script<string[]> {
    const { dialect } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.table} WHERE ${dialect.dueAt} <= ${dialect.now} ORDER BY ${dialect.dueAt} LIMIT ${limit}`,
    );
    return rows.map((row) => row.id);
  }

  /** Those of them whose time has still come, locked; what another process is sweeping is passed over. */
  *lock(ids: string[]): Script<DueRow[]> {
    if (ids.length === 0) return [];
    const { dialect } = this;
    const rows = yield* select<Record<keyof DueRow, unknown>>(
      sql`SELECT id, service, status, attempts, max_attempts AS ${dialect.id('maxAttempts')},
        lease_token AS ${dialect.id('leaseToken')} FROM ${dialect.table}
        WHERE id IN (${list(ids)}) AND ${dialect.dueAt} <= ${dialect.now} ${dialect.skipLocked}`,
    );
    return rows.map((row) => ({
      id: String(row.id),
      service: String(row.service),
      status: Number(row.status),
      attempts: Number(row.attempts),
      maxAttempts: row.maxAttempts === null ? null : Number(row.maxAttempts),
      leaseToken: row.leaseToken as string | null,
    }));
  }

  /**
   * Deletes ended tasks whose time is over among the `limit` rows that follow an id; answers the last id that it looked
   * at, or undefined at the end of the table. It walks the primary key, so it needs no index that every move of every
   * task would pay for.
   */
  *forget(after: string, limit: number, retention: Retention): Script<string | undefined> {
    const { dialect } = this;
    const rows = yield* select<{ id: string; over: unknown }>(
      sql`SELECT id, CASE WHEN ${this.over(retention)} THEN 1 ELSE 0 END AS ${dialect.id('over')}
        FROM ${dialect.table} WHERE id > ${after} ORDER BY id LIMIT ${limit}`,
    );
    const candidates = rows.filter((row) => Number(row.over) === 1).map((row) => row.id);
    if (candidates.length > 0) {
      const free = yield* select<{ id: string }>(
        sql`SELECT id FROM ${dialect.table} WHERE id IN (${list(candidates)}) AND (${this.over(retention)}) ${dialect.skipLocked}`,
      );
      if (free.length > 0)
        yield* change(sql`DELETE FROM ${dialect.table} WHERE id IN (${list(free.map((row) => row.id))})`);
    }
    return rows.length < limit ? undefined : rows.at(-1)!.id;
  }

  /** A row that was ended by plain SQL has no time of its end: its last change counts. */
  private over({ finished, failed }: Retention): Sql {
    const { FINISHED, ERROR, CANCELLED } = this.options.status;
    const since = (seconds: number | undefined): Sql =>
      seconds === undefined
        ? sql`1 = 0`
        : sql`COALESCE(finished_at <= ${this.dialect.after(-seconds)}, updated_at <= ${this.dialect.localAfter(-seconds)})`;
    return sql`status = ${literal(FINISHED)} AND ${since(finished)}
      OR status IN (${literal(ERROR)}, ${literal(CANCELLED)}) AND ${since(failed)}`;
  }
}
