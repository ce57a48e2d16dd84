import sql, { empty, join, type Sql } from 'sql-template-tag';
import { type Dialect, list, literal, type TaskTable } from '../../database/dialects/dialect.js';
import { change, type Script, select } from '../../database/transaction.js';

/** Seconds that tasks are kept after their end. undefined: no limit. */
export interface Retention {
  finished?: number | undefined;
  failed?: number | undefined;
}

/** Ended tasks whose retention is over. */
export class RetentionStore {
  /** Conditions of ended tasks that are kept. A capability adds its own when the queue opens. */
  readonly keeps: Sql[] = [];

  constructor(
    private readonly dialect: Dialect,
    private readonly options: TaskTable,
  ) {}

  /**
   * Deletes ended tasks whose retention is over, among the `limit` rows after an id. Returns the last id that it looked
   * at, or undefined at the end of the table. It walks the primary key, because an index for it would cost time at
   * every move of every task.
   */
  *prune(after: string, limit: number, retention: Retention): Script<string | undefined> {
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

  /** A row that plain SQL ended has no time of its end: the time of its last change counts. */
  private over({ finished, failed }: Retention): Sql {
    const { FINISHED, ERROR, CANCELLED } = this.options.status;
    const kept = join([empty, ...this.keeps.map((keeps) => sql`NOT (${keeps})`)], ' AND ');
    const since = (seconds: number | undefined): Sql =>
      seconds === undefined
        ? sql`1 = 0`
        : sql`COALESCE(finished_at <= ${this.dialect.after(-seconds)}, updated_at <= ${this.dialect.localAfter(-seconds)})`;
    return sql`(status = ${literal(FINISHED)} AND ${since(finished)}
      OR status IN (${literal(ERROR)}, ${literal(CANCELLED)}) AND ${since(failed)}) ${kept}`;
  }
}
