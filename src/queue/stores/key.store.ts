import sql, { join, type Sql } from 'sql-template-tag';
import { type Dialect, list } from '../../database/dialects/dialect.js';
import { Conflict } from '../../database/failure-classes.js';
import { change, post, type Script, select } from '../../database/transaction.js';

/** A key, and the tasks that it stands for. */
export interface KeyEntry {
  /** Digest of everything that makes the key unique. */
  id: string;
  /** Digest of the content that the key was used with. */
  fingerprint: string;
  taskIds: string[];
}

export interface NewKey extends KeyEntry {
  /** Seconds that the key is kept. */
  seconds: number;
}

/** Seconds after which it is seen whether a task still holds a unique key. */
const UNIQUE_SECONDS = 86_400;

/** Idempotency keys, unique keys, and the lock rows of owners. */
export class KeyStore {
  private readonly table: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('keys');
  }

  /**
   * Those of the keys that already stand for tasks. Takes no locks: if two transactions race, `add` tells the loser.
   */
  *known(ids: string[]): Script<Map<string, KeyEntry>> {
    if (ids.length === 0) return new Map();
    const { dialect } = this;
    const rows = yield* select<{ id: string; fingerprint: string; task_ids: string; live: unknown }>(
      sql`SELECT id, fingerprint, task_ids, CASE WHEN expires_at > ${dialect.now} THEN 1 ELSE 0 END AS live
        FROM ${this.table} WHERE id IN (${list(ids)})`,
    );
    const isLive = ({ live }: { live: unknown }): boolean => Number(live) === 1;
    yield* this.removeExpired(rows.filter((row) => !isLive(row)).map((row) => row.id));
    const entries = rows.filter(isLive).map(({ id, fingerprint, task_ids }): [string, KeyEntry] => {
      return [id, { id, fingerprint, taskIds: task_ids.split(' ').filter(Boolean) }];
    });
    return new Map(entries);
  }

  /**
   * Stores what the keys stand for. If another transaction is storing the same key, this one waits for its commit and
   * then fails with Conflict. When the script runs again it finds the entry of the other.
   */
  *add(entries: NewKey[]): Script<void> {
    if (entries.length === 0) return;
    const { dialect } = this;
    const rows = sorted(entries, ({ id }) => id).map(
      ({ id, fingerprint, taskIds, seconds }) =>
        sql`(${id}, ${fingerprint}, ${taskIds.join(' ')}, ${dialect.after(seconds)})`,
    );
    const added = yield* change(
      dialect.insertNew(this.table, sql`(id, fingerprint, task_ids, expires_at) VALUES ${join(rows)}`),
    );
    if (added < entries.length) throw new Conflict('another transaction has just used this Idempotency-Key');
  }

  /** Deletes the entry of a key, if it still stands for these tasks. */
  *drop({ id, taskIds }: KeyEntry): Script<void> {
    yield* post(sql`DELETE FROM ${this.table} WHERE id = ${id} AND task_ids = ${taskIds.join(' ')}`);
  }

  /** Makes callers with the same ids run one after the other, each until its transaction ends. */
  *lock(ids: string[], seconds: number): Script<void> {
    if (ids.length === 0) return;
    const { dialect } = this;
    const expires = dialect.after(seconds);
    const rows = sorted(ids, (id) => id).map((id) => sql`(${id}, ${expires})`);
    yield* change(
      sql`INSERT INTO ${this.table} (id, expires_at) VALUES ${join(rows)}
        ${dialect.onDuplicate(sql`expires_at = ${expires}`)}`,
    );
  }

  /** Those of the ids that another transaction holds, as far as can be seen without waiting. */
  *held(ids: string[]): Script<Set<string>> {
    if (ids.length === 0) return new Set();
    const { dialect } = this;
    const known = sql`SELECT id FROM ${this.table} WHERE id IN (${list(ids)})`;
    const [all, free] = yield [known, sql`${known} ${dialect.skipLocked}`];
    const taken = new Set(free!.rows.map(({ id }) => id));
    return new Set(all!.rows.map(({ id }) => id as string).filter((id) => !taken.has(id)));
  }

  /**
   * Locks unique keys until the transaction ends. Returns the task that took each key last: the given one, if there was
   * none. The key alone says nothing: whether that task still holds it, its own row says.
   */
  *take(takers: Map<string, string>): Script<Map<string, string>> {
    const { dialect } = this;
    const expires = dialect.after(UNIQUE_SECONDS);
    const rows = sorted([...takers], ([id]) => id).map(([id, taskId]) => sql`(${id}, ${taskId}, ${expires})`);
    const [, found] = yield [
      sql`INSERT INTO ${this.table} (id, task_ids, expires_at) VALUES ${join(rows)}
        ${dialect.onDuplicate(sql`expires_at = ${expires}`)}`,
      sql`SELECT id, task_ids FROM ${this.table} WHERE id IN (${list([...takers.keys()])}) ${dialect.forUpdate}`,
    ];
    return new Map(found!.rows.map(({ id, task_ids: taskId }) => [id as string, taskId as string]));
  }

  /** Locked keys have other tasks from now on. */
  *give(takers: Map<string, string>): Script<void> {
    if (takers.size === 0) return;
    const cases = [...takers].map(([id, taskId]) => sql`WHEN ${id} THEN ${taskId}`);
    yield* post(
      sql`UPDATE ${this.table} SET task_ids = CASE id ${join(cases, ' ')} END WHERE id IN (${list([...takers.keys()])})`,
    );
  }

  /**
   * Makes rows for unique keys that have none, in a transaction of its own: a transaction of a host that takes a key
   * then locks a row that others can see, and pass by.
   */
  *prepare(takers: Map<string, string>): Script<void> {
    const ids = [...takers.keys()];
    const rows = yield* select<{ id: string }>(sql`SELECT id FROM ${this.table} WHERE id IN (${list(ids)})`);
    const known = new Set(rows.map(({ id }) => id));
    const unknown = [...takers].filter(([id]) => !known.has(id));
    if (unknown.length > 0) yield* this.take(new Map(unknown));
  }

  /** Corrects what an idempotency key stands for. */
  *become({ id, taskIds }: KeyEntry): Script<void> {
    yield* post(sql`UPDATE ${this.table} SET task_ids = ${taskIds.join(' ')} WHERE id = ${id}`);
  }

  /** A write that leaves nothing behind. */
  *probe(id: string): Script<void> {
    const { dialect } = this;
    yield* change(sql`INSERT INTO ${this.table} (id, expires_at) VALUES (${id}, ${dialect.now})`);
    yield* change(sql`DELETE FROM ${this.table} WHERE id = ${id}`);
  }

  /** Deletes expired entries, and unique keys that no task holds. Returns how many it has looked at. */
  *purge(limit: number): Script<number> {
    const { dialect } = this;
    const rows = yield* select<{ id: string; taker: string | null }>(
      sql`SELECT id, CASE WHEN fingerprint IS NULL THEN task_ids END AS taker FROM ${this.table}
        WHERE expires_at <= ${dialect.now} LIMIT ${limit} ${dialect.skipLocked}`,
    );
    const kept = yield* this.prolong(rows.filter(({ taker }) => taker !== null));
    yield* this.removeExpired(rows.map(({ id }) => id).filter((id) => !kept.has(id)));
    return rows.length;
  }

  /** Keeps those of the unique keys that tasks hold. */
  private *prolong(keys: { id: string; taker: string | null }[]): Script<Set<string>> {
    if (keys.length === 0) return new Set();
    const { dialect } = this;
    const holders = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.table} WHERE ${dialect.idIn(keys.map(({ taker }) => taker!))} AND unique_key IS NOT NULL`,
    );
    const held = new Set(holders.map(({ id }) => id));
    const ids = keys.filter(({ taker }) => held.has(taker!)).map(({ id }) => id);
    const until = dialect.after(UNIQUE_SECONDS);
    if (ids.length > 0) yield* change(sql`UPDATE ${this.table} SET expires_at = ${until} WHERE id IN (${list(ids)})`);
    return new Set(ids);
  }

  private *removeExpired(ids: string[]): Script<void> {
    const { dialect } = this;
    if (ids.length > 0)
      yield* post(sql`DELETE FROM ${this.table} WHERE id IN (${list(ids)}) AND expires_at <= ${dialect.now}`);
  }
}

/** An order that all transactions share, so that their locks cannot deadlock. */
const sorted = <T>(items: T[], keyOf: (item: T) => string): T[] =>
  [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
