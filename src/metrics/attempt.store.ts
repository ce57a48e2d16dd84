import sql, { join, type Sql } from 'sql-template-tag';
import type { Dialect } from '../database/dialects/dialect.js';
import { change, postLast, type Row, type Script, select, type Statement } from '../database/transaction.js';
import { ATTEMPTS } from '../schema/tables/attempts.table.js';
import type { FailedOutcome, TaskAttempt } from './attempt.js';

export interface NewAttempt extends Omit<TaskAttempt, 'endedAt'> {
  taskId: string;
  id: string;
}

/** A place in the order of the primary key. */
export interface Place {
  taskId: string;
  id: string;
}

/** Rows of one INSERT: with errors of 4 KB each, it fits any packet. */
const INSERTED = 100;
/** Tasks of one DELETE. */
const DELETED = 100;

/** Failed attempts in the database. */
export class AttemptStore {
  private readonly table: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside(ATTEMPTS.suffix);
  }

  /** They have ended now. Nobody waits for the last statement: it travels with the next one, or with COMMIT. */
  *insert(attempts: NewAttempt[]): Script<void> {
    yield* postLast(this.inserts(attempts));
  }

  private *inserts(attempts: NewAttempt[]): Generator<Statement> {
    const { dialect, table } = this;
    // SQLite prepares a statement once if its text is always the same.
    const most = dialect.engine === 'sqlite' ? 1 : INSERTED;
    for (let from = 0; from < attempts.length; from += most) {
      const rows = attempts
        .slice(from, from + most)
        .map(({ taskId, id, attempt, outcome, workerId, startedAt, error }) => {
          const started = startedAt && dialect.utcValue(startedAt);
          return sql`(${taskId}, ${id}, ${attempt}, ${outcome}, ${workerId}, ${started}, ${dialect.now}, ${error})`;
        });
      yield sql`INSERT INTO ${table} (task_id, id, attempt, outcome, worker_id, started_at, ended_at, error)
        VALUES ${join(rows)}`;
    }
  }

  /** The newest attempts of a task, oldest first. */
  *of(taskId: string, limit: number): Script<TaskAttempt[]> {
    const { dialect, table } = this;
    const rows = yield* select(
      sql`SELECT attempt, outcome, worker_id, error, ${dialect.utc('started_at')} AS started, ${dialect.utc('ended_at')} AS ended
        FROM ${table} WHERE task_id = ${taskId} ORDER BY ended_at DESC, id DESC LIMIT ${limit}`,
    );
    return rows.map(toAttempt).reverse();
  }

  /**
   * Looks at `limit` rows after a place, and deletes those whose task does not exist, and those of a task beyond its
   * newest `keep`. Returns the place where it stopped, or undefined at the end of the table.
   */
  *prune(after: Place | undefined, limit: number, keep: number): Script<{ next: Place | undefined; deleted: number }> {
    const { dialect, table } = this;
    // Not a comparison of tuples: MySQL uses no index for it.
    const from = after
      ? sql`(task_id > ${after.taskId} OR task_id = ${after.taskId} AND id > ${after.id})`
      : sql`task_id >= ''`;
    const rows = yield* select<{ task_id: string; id: string }>(
      sql`SELECT task_id, id FROM ${table} WHERE ${from} ORDER BY task_id, id LIMIT ${limit}`,
    );
    const idsOf = new Map<string, string[]>();
    for (const { task_id, id } of rows) {
      const ids = idsOf.get(task_id);
      if (ids) ids.push(id);
      else idsOf.set(task_id, [id]);
    }
    const taskIds = [...idsOf.keys()];
    if (taskIds.length === 0) return { next: undefined, deleted: 0 };
    const present = yield* select<{ id: string }>(sql`SELECT id FROM ${dialect.table} WHERE ${dialect.idIn(taskIds)}`);
    const tasks = new Set(present.map(({ id }) => id));
    const last = (taskId: string, ids: string[]): string | undefined => ids.at(tasks.has(taskId) ? -keep - 1 : -1);
    const over = [...idsOf].flatMap(([taskId, ids]) => {
      const id = last(taskId, ids);
      return id === undefined ? [] : [sql`task_id = ${taskId} AND id <= ${id}`];
    });
    let deleted = 0;
    for (let place = 0; place < over.length; place += DELETED)
      deleted += yield* change(sql`DELETE FROM ${table} WHERE ${join(over.slice(place, place + DELETED), ' OR ')}`);
    const { task_id: taskId, id } = rows.at(-1)!;
    return { next: rows.length < limit ? undefined : { taskId, id }, deleted };
  }
}

const timeOf = (value: unknown): Date | null => (value === null ? null : new Date(value as string | number));

const toAttempt = (row: Row): TaskAttempt => ({
  attempt: Number(row.attempt),
  workerId: row.worker_id as string | null,
  startedAt: timeOf(row.started),
  endedAt: timeOf(row.ended)!,
  outcome: row.outcome as FailedOutcome,
  error: row.error as string | null,
});
