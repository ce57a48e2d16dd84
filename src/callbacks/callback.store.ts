import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { CallbackState, TaskCallback } from './callback.js';
import {
  type CallbackFilter,
  type CallbackOutcome,
  type NewCallback,
  type TakenCallback,
  toCallback,
} from './callback.rows.js';
import { type Dialect, list } from '../database/dialects/dialect.js';
import { change, post, postLast, type Script, select, type Statement } from '../database/transaction.js';

/** A body of at least this many bytes is large: too many at once would use too much memory. */
export const LARGE_BODY = 64 * 1024;

/** Rows and bytes of one INSERT, which shares a packet with the statements posted before it. */
const INSERT = { rows: 100, bytes: 500_000 } as const;

/**
 * Callbacks in the database. A row that is being tried stays pending, with `due_at` at the end of the try's lease.
 * After that any process may take it again, and the lease token separates a late outcome from the current one.
 */
export class CallbackStore {
  private readonly table: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('callbacks');
  }

  /** Nobody waits for the last statement: it travels with the next one, or with COMMIT. */
  *insert(callbacks: NewCallback[]): Script<void> {
    yield* postLast(this.inserts(callbacks));
  }

  /**
   * Due callbacks, oldest first, without the origins in `busy`. With `seconds`, only those that became due recently.
   * Takes no locks, because mostly there are none.
   */
  *due(busy: string[], limit: number, seconds?: number): Script<{ id: string; origin: string }[]> {
    const { dialect } = this;
    const others = busy.length === 0 ? empty : sql`AND origin NOT IN (${list(busy)})`;
    const recent = seconds === undefined ? empty : sql`AND due_at >= ${dialect.after(-seconds)}`;
    return yield* select<{ id: string; origin: string }>(
      sql`SELECT id, origin FROM ${this.table} WHERE due_at <= ${dialect.now} ${recent} ${others}
        ORDER BY due_at LIMIT ${limit}`,
    );
  }

  /**
   * Leases those of the callbacks that are still due and that nobody else is taking, and reads the database's time.
   * Takes only as many with large bodies as have `bytes` together.
   */
  *take(
    ids: string[],
    token: string,
    seconds: number,
    bytes: number,
  ): Script<{ callbacks: TakenCallback[]; now: Date }> {
    const { dialect } = this;
    const due = yield* select(
      sql`SELECT id, task_id, type, url, origin, is_own, attempts, tries, lease_token, ${dialect.bytes('body')} AS size,
          CASE WHEN ${dialect.bytes('body')} <= ${LARGE_BODY} THEN body END AS body,
          (SELECT traceparent FROM ${dialect.table} WHERE id = task_id) AS traceparent,
          ${dialect.utc('due_at')} AS due_at_iso, ${dialect.clock} AS softdd_now
        FROM ${this.table} WHERE id IN (${list(ids)}) AND due_at <= ${dialect.now}
        ORDER BY id ${dialect.skipLocked}`,
    );
    let left = bytes;
    const rows = due.filter(({ size }) => Number(size) <= LARGE_BODY || (left -= Number(size)) >= 0);
    const large = rows.filter(({ body }) => body === null).map(({ id }) => id);
    if (large.length > 0) {
      const found = yield* select(sql`SELECT id, body FROM ${this.table} WHERE id IN (${list(large)})`);
      const bodies = new Map(found.map(({ id, body }) => [id, body]));
      for (const row of rows) row.body ??= bodies.get(row.id);
    }
    if (rows.length > 0)
      yield* post(
        sql`UPDATE ${this.table} SET due_at = ${dialect.after(seconds)}, lease_token = ${token},
          attempts = attempts + 1 WHERE id IN (${list(rows.map((row) => row.id))})`,
      );
    const callbacks = rows.map((row): TakenCallback => {
      const { id, taskId, type, url, attempts, tries, dueAt } = toCallback(row);
      const { origin, body } = row as { origin: string; body: string };
      return {
        id,
        taskId,
        type,
        url,
        origin,
        isOwn: Number(row.is_own) === 1,
        body,
        attempts: attempts + 1,
        tries,
        token,
        traceparent: row.traceparent as string | null,
        lapsedAt: row.lease_token === null ? undefined : dueAt!,
      };
    });
    return { callbacks, now: new Date(rows[0]?.softdd_now as string | number) };
  }

  /** Stores the outcome of a try, if the row still has the try's lease. A late outcome is ignored. */
  *record({ id, token, next, tries }: CallbackOutcome): Script<void> {
    const { dialect } = this;
    const pause = next === 'untried' ? 0 : next;
    const again = typeof pause === 'number';
    yield* post(
      sql`UPDATE ${this.table} SET state = ${again ? 'pending' : pause},
        due_at = ${again ? dialect.after(pause) : sql`NULL`}, ended_at = ${again ? sql`NULL` : dialect.now},
        attempts = attempts - ${next === 'untried' ? 1 : 0}, lease_token = NULL, tries = ${JSON.stringify(tries)} WHERE id = ${id} AND lease_token = ${token}`,
    );
  }

  /** Newest first. */
  *list(filter: CallbackFilter): Script<TaskCallback[]> {
    const rows = yield* select(
      sql`SELECT ${this.columns} FROM ${this.table} WHERE ${conditions(filter)} ORDER BY id DESC LIMIT ${filter.limit}`,
    );
    return rows.map(toCallback);
  }

  *find(id: string): Script<(TaskCallback & { body: string }) | undefined> {
    const rows = yield* select(sql`SELECT ${this.columns}, body FROM ${this.table} WHERE id = ${id}`);
    return rows.map((row) => ({ ...toCallback(row), body: row.body as string }))[0];
  }

  /**
   * Makes it due now, with its tries counted from zero. A running try stays as it is. False if there is no such
   * callback.
   */
  *replay(id: string): Script<boolean> {
    const { dialect } = this;
    const rows = yield* select<{ lease_token: unknown }>(
      sql`SELECT lease_token FROM ${this.table} WHERE id = ${id} ${dialect.forUpdate}`,
    );
    yield* this.makeDue(rows.length > 0 ? [id] : []);
    return rows.length > 0;
  }

  /** The same for all that fit, at most `limit`. Returns how many there were. */
  *replayAll(filter: CallbackFilter): Script<number> {
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${this.table} WHERE ${conditions(filter)} ORDER BY id LIMIT ${filter.limit} ${this.dialect.skipLocked}`,
    );
    yield* this.makeDue(rows.map(({ id }) => id));
    return rows.length;
  }

  private *makeDue(ids: string[]): Script<void> {
    const { now } = this.dialect;
    if (ids.length === 0) return;
    yield* change(
      sql`UPDATE ${this.table} SET state = 'pending', due_at = ${now}, ended_at = NULL, lease_token = NULL,
        attempts = 0 WHERE id IN (${list(ids)}) AND (lease_token IS NULL OR due_at <= ${now})`,
    );
  }

  *counts(): Script<Map<CallbackState, number>> {
    const rows = yield* select<{ state: CallbackState; count: unknown }>(
      sql`SELECT state, COUNT(*) AS count FROM ${this.table} GROUP BY state`,
    );
    return new Map(rows.map(({ state, count }) => [state, Number(count)]));
  }

  /** Deletes some callbacks that ended more than `seconds` ago. Returns how many. */
  *purge(seconds: number, limit: number): Script<number> {
    const { dialect } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${this.table} WHERE ended_at <= ${dialect.after(-seconds)}
        ORDER BY ended_at LIMIT ${limit} ${dialect.skipLocked}`,
    );
    if (rows.length > 0) yield* post(sql`DELETE FROM ${this.table} WHERE id IN (${list(rows.map((row) => row.id))})`);
    return rows.length;
  }

  /** Deletes a task's ended callbacks except for the newest `keep`. Returns how many are pending, up to 1,000. */
  *trim(taskId: string, keep: number): Script<number> {
    const rows = yield* select<{ id: string; state: CallbackState }>(
      sql`SELECT id, state FROM ${this.table} WHERE task_id = ${taskId} ORDER BY id DESC LIMIT 1000`,
    );
    const ended = rows.filter(({ state }) => state !== 'pending');
    const old = ended.slice(keep).map(({ id }) => id);
    if (old.length > 0) yield* post(sql`DELETE FROM ${this.table} WHERE id IN (${list(old)}) AND ended_at IS NOT NULL`);
    return rows.length - ended.length;
  }

  private *inserts(callbacks: NewCallback[]): Generator<Statement> {
    const { dialect } = this;
    // SQLite prepares a statement once if its text is always the same.
    for (const some of chunks(callbacks, dialect.engine === 'sqlite' ? 1 : INSERT.rows)) {
      const rows = some.map(
        ({ id, taskId, type, url, origin, isOwn, body }) =>
          sql`(${id}, ${taskId}, ${type}, ${url}, ${origin}, ${isOwn ? 1 : 0}, 'pending', 0, ${dialect.now}, ${body}, '[]', ${dialect.now})`,
      );
      yield sql`INSERT INTO ${this.table}
        (id, task_id, type, url, origin, is_own, state, attempts, due_at, body, tries, created_at)
        VALUES ${join(rows)}`;
    }
  }

  /** All columns except the body, which may be long. */
  private get columns(): Sql {
    const { dialect } = this;
    const time = (column: string): Sql => sql`${dialect.utc(column)} AS ${dialect.id(`${column}_iso`)}`;
    return sql`id, task_id, type, url, state, attempts, tries, ${join(['due_at', 'created_at', 'ended_at'].map(time))}`;
  }
}

function conditions({ taskId, state, origin, before }: CallbackFilter): Sql {
  const all = [sql`1 = 1`];
  if (taskId !== undefined) all.push(sql`task_id = ${taskId}`);
  if (state !== undefined) all.push(sql`state = ${state}`);
  if (origin !== undefined) all.push(sql`origin = ${origin}`);
  if (before !== undefined) all.push(sql`id < ${before}`);
  return join(all, ' AND ');
}

/** Chunks of at most this many rows, and of a size that every server takes in one packet. */
function* chunks(callbacks: NewCallback[], rows: number): Generator<NewCallback[]> {
  let some: NewCallback[] = [];
  let bytes = 0;
  for (const callback of callbacks) {
    const size = Buffer.byteLength(callback.body);
    if (some.length === rows || (some.length > 0 && bytes + size > INSERT.bytes)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(callback);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
