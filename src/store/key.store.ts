import sql from 'sql-template-tag';
import { type Dialect, list } from './dialect.js';
import { Conflict } from './failures.js';
import { change, type Script, select } from './transaction.js';

/** What a key stands for. */
export interface KeyEntry {
  /** Digest of the content that it was used with. */
  fingerprint: string;
  taskIds: string[];
}

/** Idempotency keys, and the locks of owners. An id is the digest of all that makes a key unique. */
export class KeyStore {
  constructor(private readonly dialect: Dialect) {}

  /**
   * Writes down what a key stands for, unless it stands for something already: answers that then. Whoever comes second
   * with a key waits for the first one's commit here.
   */
  *claim(id: string, entry: KeyEntry, seconds: number): Script<KeyEntry | undefined> {
    const { dialect } = this;
    yield* change(sql`DELETE FROM ${dialect.keys} WHERE id = ${id} AND expires_at <= ${dialect.now}`);
    if (yield* this.insert(id, entry, seconds)) return undefined;
    const known = yield* this.find(id);
    // The first one was undone, or ran out, just now.
    if (!known) throw new Conflict('an idempotency key came and went');
    return known;
  }

  /** Locked until the transaction ends. */
  private *find(id: string): Script<KeyEntry | undefined> {
    const { dialect } = this;
    const [row] = yield* select<{ fingerprint: string; task_ids: string }>(
      sql`SELECT fingerprint, task_ids FROM ${dialect.keys} WHERE id = ${id} AND expires_at > ${dialect.now}
        ${dialect.forUpdate}`,
    );
    return row && { fingerprint: row.fingerprint, taskIds: row.task_ids.split(' ').filter(Boolean) };
  }

  /** What a key stands for from now on; the caller has claimed it. */
  *fill(id: string, taskIds: string[], seconds: number): Script<void> {
    const { dialect } = this;
    yield* change(
      sql`UPDATE ${dialect.keys} SET task_ids = ${taskIds.join(' ')}, expires_at = ${dialect.after(seconds)} WHERE id = ${id}`,
    );
  }

  /** Makes callers with the same id go one after the other, each until its transaction ends. */
  *lock(id: string, seconds: number): Script<void> {
    const { dialect } = this;
    const expires = dialect.after(seconds);
    yield* change(
      sql`INSERT INTO ${dialect.keys} (id, expires_at) VALUES (${id}, ${expires})
        ${dialect.onDuplicate(sql`expires_at = ${expires}`)}`,
    );
  }

  /** Forgets what has run out; answers how many. */
  *purge(limit: number): Script<number> {
    const { dialect } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.keys} WHERE expires_at <= ${dialect.now} LIMIT ${limit} ${dialect.skipLocked}`,
    );
    if (rows.length > 0)
      yield* change(sql`DELETE FROM ${dialect.keys} WHERE id IN (${list(rows.map((row) => row.id))})`);
    return rows.length;
  }

  private *insert(id: string, { fingerprint, taskIds }: KeyEntry, seconds: number): Script<boolean> {
    const { dialect } = this;
    const rest = sql`(id, fingerprint, task_ids, expires_at)
      VALUES (${id}, ${fingerprint}, ${taskIds.join(' ')}, ${dialect.after(seconds)})`;
    return (yield* change(dialect.insertNew(dialect.keys, rest))) > 0;
  }
}
