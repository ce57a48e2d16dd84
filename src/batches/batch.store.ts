import sql, { empty, type Sql } from 'sql-template-tag';
import { type Dialect, list, literal } from '../database/dialects/dialect.js';
import { change, post, type Row, type Script, select } from '../database/transaction.js';
import type { BatchState, OnFailure } from './batch.js';

/** Whether its tasks are being cancelled. */
export const NOT_CANCELLED = 0;
export const CANCELLING = 1;
export const CANCELLED = 2;

/** A batch as it is kept. */
export interface BatchRow {
  id: string;
  userId: string;
  sealed: boolean;
  onFailure: OnFailure;
  cancelling: number;
  total: number;
  finished: number;
  failed: number;
  cancelled: number;
  /** The settings of the task that its end creates, as JSON. */
  thenTask: string | null;
  thenTaskId: string | null;
  callbackUrl: string | null;
  createdAt: Date;
  endedAt: Date | null;
}

/** Seconds until the next look at a batch: for work, for a batch that waits for its tasks, or never. */
export type NextLook = number | null;

/** Batches in the database. */
export class BatchStore {
  private readonly table: Sql;
  private readonly columns: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('batches');
    const time = (column: string): Sql => sql`${dialect.utc(column)} AS ${dialect.id(`${column}_iso`)}`;
    this.columns = sql`id, user_id, sealed, on_failure, cancelling, total, finished, failed, cancelled, then_task,
      then_task_id, callback_url, ${time('created_at')}, ${time('ended_at')}`;
  }

  *insert(row: Omit<BatchRow, 'createdAt' | 'endedAt' | 'thenTaskId'>, look: number): Script<void> {
    const { dialect, table } = this;
    yield* post(
      sql`INSERT INTO ${table} (id, user_id, sealed, on_failure, cancelling, total, then_task, callback_url, due_at,
          created_at)
        VALUES (${row.id}, ${row.userId}, ${row.sealed ? 1 : 0}, ${row.onFailure}, ${row.cancelling}, ${row.total},
          ${row.thenTask}, ${row.callbackUrl}, ${dialect.after(look)}, ${dialect.now})`,
    );
  }

  /** The database's time. */
  *now(): Script<Date> {
    const [row] = yield* select<{ softdd_now: string | number }>(sql`SELECT ${this.dialect.clock} AS softdd_now`);
    return new Date(row!.softdd_now);
  }

  *find(id: string): Script<BatchRow | undefined> {
    return (yield* this.some(sql`WHERE id = ${id}`))[0];
  }

  /** These batches, locked in the order of their ids, so that two transactions cannot deadlock. */
  *lock(ids: string[]): Script<BatchRow[]> {
    return yield* this.some(sql`WHERE id IN (${list(ids)}) ORDER BY id ${this.dialect.forUpdate}`);
  }

  /** Newest first. Without an owner: those of all owners. */
  *list(userId: string | undefined, before: string | undefined, limit: number): Script<BatchRow[]> {
    return yield* this.some(sql`${range(userId, before)} LIMIT ${literal(limit)}`);
  }

  /**
   * The same of one state. It looks at the next `size` batches, and says where they end. undefined: there are no more.
   */
  *listOf(
    state: BatchState,
    userId: string | undefined,
    before: string | undefined,
    limit: number,
    size: number,
  ): Script<{ rows: BatchRow[]; end: string | undefined }> {
    const looked = sql`FROM ${this.table} ${range(userId, before)}`;
    const columns = sql`id, sealed, cancelling, total, failed, cancelled, ended_at`;
    const found = yield* select<{ id: string }>(
      sql`SELECT id FROM (SELECT ${columns} ${looked} LIMIT ${literal(size)}) looked WHERE ${STATES[state]}
        ORDER BY id DESC LIMIT ${literal(limit)}`,
    );
    const [last] = yield* select<{ id: string }>(sql`SELECT id ${looked} LIMIT 1 OFFSET ${literal(size - 1)}`);
    const ids = found.map(({ id }) => id);
    const rows = ids.length === 0 ? [] : yield* this.some(sql`WHERE id IN (${list(ids)}) ORDER BY id DESC`);
    return { rows, end: last?.id };
  }

  /** Ids of batches to look at, the longest due first. Takes no locks. */
  *due(limit: number): Script<string[]> {
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${this.table} WHERE due_at <= ${this.dialect.now} ORDER BY due_at LIMIT ${limit}`,
    );
    return rows.map(({ id }) => id);
  }

  /** Whether any batch has not ended. */
  *hasOpen(): Script<boolean> {
    return (yield* select(sql`SELECT id FROM ${this.table} WHERE due_at IS NOT NULL LIMIT 1`)).length > 0;
  }

  /** Takes a batch that is due: others leave it alone for these seconds. False: another process has it. */
  *take(id: string, seconds: number): Script<boolean> {
    const { dialect, table } = this;
    const taken = yield* change(
      sql`UPDATE ${table} SET due_at = ${dialect.after(seconds)} WHERE id = ${id} AND due_at <= ${dialect.now}`,
    );
    return taken > 0;
  }

  /** Writes what has changed in a batch that the caller has locked. */
  *save(row: BatchRow, look: NextLook): Script<void> {
    const { dialect, table } = this;
    yield* post(
      sql`UPDATE ${table} SET sealed = ${row.sealed ? 1 : 0}, cancelling = ${row.cancelling}, total = ${row.total},
          finished = ${row.finished}, failed = ${row.failed}, cancelled = ${row.cancelled},
          then_task_id = ${row.thenTaskId}, ended_at = ${row.endedAt && dialect.utcValue(row.endedAt)},
          due_at = ${look === null ? sql`NULL` : dialect.after(look)}
        WHERE id = ${row.id}`,
    );
  }

  /** Looks at it now. */
  *hasten(id: string): Script<void> {
    const { dialect, table } = this;
    yield* post(sql`UPDATE ${table} SET due_at = ${dialect.now} WHERE id = ${id} AND due_at IS NOT NULL`);
  }

  /** Ids of batches that ended at least this long ago. */
  *over(seconds: number, limit: number): Script<string[]> {
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${this.table} WHERE ended_at <= ${this.dialect.after(-seconds)} ORDER BY ended_at
        LIMIT ${limit}`,
    );
    return rows.map(({ id }) => id);
  }

  *delete(ids: string[]): Script<void> {
    if (ids.length > 0) yield* change(sql`DELETE FROM ${this.table} WHERE id IN (${list(ids)})`);
  }

  /** Condition that a task's batch has not ended: retention keeps such a task. */
  get keepsTask(): Sql {
    return sql`EXISTS (SELECT 1 FROM ${this.table} open_batch
      WHERE open_batch.id = batch_id AND open_batch.ended_at IS NULL)`;
  }

  private *some(clause: Sql): Script<BatchRow[]> {
    return (yield* select(sql`SELECT ${this.columns} FROM ${this.table} ${clause}`)).map(toBatch);
  }
}

/** Rows, newest first, from a batch on. */
function range(userId: string | undefined, before: string | undefined): Sql {
  const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
  const from = before === undefined ? empty : sql`AND id < ${before}`;
  return sql`WHERE 1 = 1 ${owned} ${from} ORDER BY id DESC`;
}

/** The states, as SQL: see `stateOf`. */
const EMPTY_CANCELLED = sql`(total = 0 AND cancelling <> ${literal(NOT_CANCELLED)})`;
const STATES: Record<BatchState, Sql> = {
  open: sql`sealed = 0`,
  running: sql`sealed = 1 AND ended_at IS NULL`,
  finished: sql`ended_at IS NOT NULL AND failed = 0 AND cancelled = 0 AND NOT ${EMPTY_CANCELLED}`,
  failed: sql`ended_at IS NOT NULL AND failed > 0`,
  cancelled: sql`ended_at IS NOT NULL AND failed = 0 AND (cancelled > 0 OR ${EMPTY_CANCELLED})`,
};

function toBatch(row: Row): BatchRow {
  const time = (value: unknown): Date | null => (value === null ? null : new Date(value as string | number));
  return {
    id: row.id as string,
    userId: row.user_id as string,
    sealed: Number(row.sealed) === 1,
    onFailure: row.on_failure as OnFailure,
    cancelling: Number(row.cancelling),
    total: Number(row.total),
    finished: Number(row.finished),
    failed: Number(row.failed),
    cancelled: Number(row.cancelled),
    thenTask: row.then_task as string | null,
    thenTaskId: row.then_task_id as string | null,
    callbackUrl: row.callback_url as string | null,
    createdAt: time(row.created_at_iso)!,
    endedAt: time(row.ended_at_iso),
  };
}
