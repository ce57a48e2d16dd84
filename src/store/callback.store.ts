import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { CallbackState, CallbackTry, CallbackType, TaskCallback } from '../callback/callback.js';
import { type Dialect, list } from './dialect.js';
import { change, post, postLast, type Row, type Script, select, type Statement } from './transaction.js';

/** A callback to be: due at once. */
export interface NewCallback {
  id: string;
  taskId: string;
  type: CallbackType;
  url: string;
  origin: string;
  /** The task named the URL, not the host. */
  isOwn: boolean;
  /** What is sent, the same bytes in every try. */
  body: string;
}

/** A callback that this process may try, until the lease runs out. */
export interface TakenCallback extends NewCallback {
  /** Tries begun, this one included. */
  attempts: number;
  tries: CallbackTry[];
  token: string;
  /** When the lease of the try before this one was over, whose outcome nobody has written down. */
  lapsedAt: Date | undefined;
}

/** What comes of a try: delivered, dead, due again in so many seconds; or due at once, as if there had been none. */
export type Next = 'delivered' | 'dead' | 'untried' | number;

export interface CallbackOutcome {
  id: string;
  token: string;
  next: Next;
  tries: CallbackTry[];
}

export interface CallbackFilter {
  taskId?: string | undefined;
  state?: CallbackState | undefined;
  /** Only those before this id. */
  before?: string | undefined;
  limit: number;
}

/** Rows and bytes of one INSERT, which shares its packet with what was posted before it. */
const INSERT = { rows: 100, bytes: 500_000 } as const;

/**
 * Callbacks in the database. A row that is being tried stays pending, with `due_at` at the end of the try's lease: then
 * whoever comes first takes it again, and the token tells a late outcome from the one that counts.
 */
export class CallbackStore {
  constructor(private readonly dialect: Dialect) {}

  /** Nobody waits for the last of it: that travels with what comes next, or with COMMIT. */
  *insert(callbacks: NewCallback[]): Script<void> {
    yield* postLast(this.inserts(callbacks));
  }

  /**
   * What is due, longest first, but for these origins, and of the last so many seconds only where they are given. Locks
   * nothing: mostly there is nothing.
   */
  *due(busy: string[], limit: number, seconds?: number): Script<{ id: string; origin: string }[]> {
    const { dialect } = this;
    const others = busy.length === 0 ? empty : sql`AND origin NOT IN (${list(busy)})`;
    const recent = seconds === undefined ? empty : sql`AND due_at >= ${dialect.after(-seconds)}`;
    return yield* select<{ id: string; origin: string }>(
      sql`SELECT id, origin FROM ${dialect.callbacks} WHERE due_at <= ${dialect.now} ${recent} ${others}
        ORDER BY due_at LIMIT ${limit}`,
    );
  }

  /** Those of them that are still due and that nobody else is taking, for so many seconds; and the database's time. */
  *take(ids: string[], token: string, seconds: number): Script<{ callbacks: TakenCallback[]; now: Date }> {
    const { dialect } = this;
    const rows = yield* select(
      sql`SELECT id, task_id, type, url, origin, is_own, attempts, tries, body, lease_token,
          ${dialect.utc('due_at')} AS due_at_iso, ${dialect.clock} AS softdd_now
        FROM ${dialect.callbacks} WHERE id IN (${list(ids)}) AND due_at <= ${dialect.now}
        ORDER BY id ${dialect.skipLocked}`,
    );
    if (rows.length > 0)
      yield* post(
        sql`UPDATE ${dialect.callbacks} SET due_at = ${dialect.after(seconds)}, lease_token = ${token},
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
        lapsedAt: row.lease_token === null ? undefined : dueAt!,
      };
    });
    return { callbacks, now: new Date(rows[0]?.softdd_now as string | number) };
  }

  /** Writes down what came of a try, if its lease is still the row's: one that is late says nothing new. */
  *record({ id, token, next, tries }: CallbackOutcome): Script<void> {
    const { dialect } = this;
    const pause = next === 'untried' ? 0 : next;
    const again = typeof pause === 'number';
    yield* post(
      sql`UPDATE ${dialect.callbacks} SET state = ${again ? 'pending' : pause},
        due_at = ${again ? dialect.after(pause) : sql`NULL`}, ended_at = ${again ? sql`NULL` : dialect.now},
        attempts = attempts - ${next === 'untried' ? 1 : 0}, lease_token = NULL, tries = ${JSON.stringify(tries)} WHERE id = ${id} AND lease_token = ${token}`,
    );
  }

  /** Newest first. */
  *list({ taskId, state, before, limit }: CallbackFilter): Script<TaskCallback[]> {
    const conditions = [sql`1 = 1`];
    if (taskId !== undefined) conditions.push(sql`task_id = ${taskId}`);
    if (state !== undefined) conditions.push(sql`state = ${state}`);
    if (before !== undefined) conditions.push(sql`id < ${before}`);
    const rows = yield* select(
      sql`SELECT ${this.columns} FROM ${this.dialect.callbacks} WHERE ${join(conditions, ' AND ')}
        ORDER BY id DESC LIMIT ${limit}`,
    );
    return rows.map(toCallback);
  }

  *find(id: string): Script<(TaskCallback & { body: string }) | undefined> {
    const rows = yield* select(sql`SELECT ${this.columns}, body FROM ${this.dialect.callbacks} WHERE id = ${id}`);
    return rows.map((row) => ({ ...toCallback(row), body: row.body as string }))[0];
  }

  /** Due now, its tries counted anew; one that is being tried just now is left to that. False where there is none. */
  *replay(id: string): Script<boolean> {
    const { dialect } = this;
    const rows = yield* select<{ lease_token: unknown }>(
      sql`SELECT lease_token FROM ${dialect.callbacks} WHERE id = ${id} ${dialect.forUpdate}`,
    );
    if (rows.length > 0)
      yield* change(
        sql`UPDATE ${dialect.callbacks} SET state = 'pending', due_at = ${dialect.now}, ended_at = NULL,
          lease_token = NULL, attempts = 0 WHERE id = ${id} AND (lease_token IS NULL OR due_at <= ${dialect.now})`,
      );
    return rows.length > 0;
  }

  *counts(): Script<Map<CallbackState, number>> {
    const rows = yield* select<{ state: CallbackState; count: unknown }>(
      sql`SELECT state, COUNT(*) AS count FROM ${this.dialect.callbacks} GROUP BY state`,
    );
    return new Map(rows.map(({ state, count }) => [state, Number(count)]));
  }

  /** How many are pending; looks no further than `most`. */
  *pending(most: number): Script<number> {
    const [row] = yield* select<{ count: unknown }>(
      sql`SELECT COUNT(*) AS count FROM (SELECT 1 FROM ${this.dialect.callbacks} WHERE state = 'pending'
        LIMIT ${most}) pending`,
    );
    return Number(row!.count);
  }

  /** Forgets some of those that ended so many seconds ago; answers how many. */
  *purge(seconds: number, limit: number): Script<number> {
    const { dialect } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.callbacks} WHERE ended_at <= ${dialect.after(-seconds)}
        ORDER BY ended_at LIMIT ${limit} ${dialect.skipLocked}`,
    );
    if (rows.length > 0)
      yield* post(sql`DELETE FROM ${dialect.callbacks} WHERE id IN (${list(rows.map((row) => row.id))})`);
    return rows.length;
  }

  private *inserts(callbacks: NewCallback[]): Generator<Statement> {
    const { dialect } = this;
    // SQLite prepares a statement that is always the same once.
    for (const some of chunks(callbacks, dialect.engine === 'sqlite' ? 1 : INSERT.rows)) {
      const rows = some.map(
        ({ id, taskId, type, url, origin, isOwn, body }) =>
          sql`(${id}, ${taskId}, ${type}, ${url}, ${origin}, ${isOwn ? 1 : 0}, 'pending', 0, ${dialect.now}, ${body}, '[]', ${dialect.now})`,
      );
      yield sql`INSERT INTO ${dialect.callbacks}
        (id, task_id, type, url, origin, is_own, state, attempts, due_at, body, tries, created_at)
        VALUES ${join(rows)}`;
    }
  }

  /** All but the body, which may be long. */
  private get columns(): Sql {
    const { dialect } = this;
    const time = (column: string): Sql => sql`${dialect.utc(column)} AS ${dialect.id(`${column}_iso`)}`;
    return sql`id, task_id, type, url, state, attempts, tries, ${join(['due_at', 'created_at', 'ended_at'].map(time))}`;
  }
}

function toCallback(row: Row): TaskCallback {
  const time = (value: unknown): Date | null => (value === null ? null : new Date(value as string | number));
  return {
    id: row.id as string,
    taskId: row.task_id as string,
    type: row.type as CallbackType,
    url: row.url as string,
    state: row.state as CallbackState,
    attempts: Number(row.attempts),
    dueAt: time(row.due_at_iso),
    tries: JSON.parse(row.tries as string) as CallbackTry[],
    createdAt: time(row.created_at_iso)!,
    endedAt: time(row.ended_at_iso),
  };
}

/** Of so many rows at most, and of a length that every server takes in one packet. */
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
