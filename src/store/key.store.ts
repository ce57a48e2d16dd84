import sql, { join } from 'sql-template-tag';
import { type Dialect, list } from './dialect.js';
import { Conflict } from './failures.js';
import { change, post, type Script, select } from './transaction.js';

/** A key, and what it stands for. */
export interface KeyEntry {
  /** Digest of all that makes the key unique. */
  id: string;
  /** Digest of the content that it was used with. */
  fingerprint: string;
  taskIds: string[];
}

/** Idempotency keys, and the locks of owners. */
export class KeyStore {
  constructor(private readonly dialect: Dialect) {}

  /** Those of these keys that stand for something already. Locks nothing: whoever is first is told by `add`. */
  *known(ids: string[]): Script<Map<string, KeyEntry>> {
    if (ids.length === 0) return new Map();
    const { dialect } = this;
    const rows = yield* select<{ id: string; fingerprint: string; task_ids: string; live: unknown }>(
      sql`SELECT id, fingerprint, task_ids, CASE WHEN expires_at > ${dialect.now} THEN 1 ELSE 0 END AS live
        FROM ${dialect.keys} WHERE id IN (${list(ids)})`,
    );
    const isLive = ({ live }: { live: unknown }): boolean => Number(live) === 1;
    yield* this.removeExpired(rows.filter((row) => !isLive(row)).map((row) => row.id));
    const entries = rows.filter(isLive).map(({ id, fingerprint, task_ids }): [string, KeyEntry] => {
      return [id, { id, fingerprint, taskIds: task_ids.split(' ').filter(Boolean) }];
    });
    return new Map(entries);
  }

  /**
   * Writes down what keys stand for. Where another transaction is about to do so, waits for its commit, and loses: run
   * again, the script finds the other's.
   */
  *add(entries: KeyEntry[], seconds: number): Script<void> {
    if (entries.length === 0) return;
    const { dialect } = this;
    const expires = dialect.after(seconds);
    const rows = sorted(entries, ({ id }) => id).map(
      ({ id, fingerprint, taskIds }) => sql`(${id}, ${fingerprint}, ${taskIds.join(' ')}, ${expires})`,
    );
    const added = yield* change(
      dialect.insertNew(dialect.keys, sql`(id, fingerprint, task_ids, expires_at) VALUES ${join(rows)}`),
    );
    if (added < entries.length) throw new Conflict('another transaction had the idempotency key first');
  }

  /** Takes back what a key stands for, if it is still this. */
  *drop({ id, taskIds }: KeyEntry): Script<void> {
    yield* post(sql`DELETE FROM ${this.dialect.keys} WHERE id = ${id} AND task_ids = ${taskIds.join(' ')}`);
  }

  /** Makes callers with the same ids go one after the other, each until its transaction ends. */
  *lock(ids: string[], seconds: number): Script<void> {
    if (ids.length === 0) return;
    const { dialect } = this;
    const expires = dialect.after(seconds);
    const rows = sorted(ids, (id) => id).map((id) => sql`(${id}, ${expires})`);
    yield* change(
      sql`INSERT INTO ${dialect.keys} (id, expires_at) VALUES ${join(rows)}
        ${dialect.onDuplicate(sql`expires_at = ${expires}`)}`,
    );
  }

  /** Those of these ids that another transaction holds, as far as can be told without waiting for it. */
  *held(ids: string[]): Script<Set<string>> {
    if (ids.length === 0) return new Set();
    const { dialect } = this;
    const known = sql`SELECT id FROM ${dialect.keys} WHERE id IN (${list(ids)})`;
    const [all, free] = yield [known, sql`${known} ${dialect.skipLocked}`];
    const taken = new Set(free!.rows.map(({ id }) => id));
    return new Set(all!.rows.map(({ id }) => id as string).filter((id) => !taken.has(id)));
  }

  /** Forgets what has run out; answers how many. */
  *purge(limit: number): Script<number> {
    const { dialect } = this;
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.keys} WHERE expires_at <= ${dialect.now} LIMIT ${limit} ${dialect.skipLocked}`,
    );
    yield* this.removeExpired(rows.map((row) => row.id));
    return rows.length;
  }

  private *removeExpired(ids: string[]): Script<void> {
    const { dialect } = this;
    if (ids.length > 0)
      yield* post(sql`DELETE FROM ${dialect.keys} WHERE id IN (${list(ids)}) AND expires_at <= ${dialect.now}`);
  }
}

/** In an order that all transactions share, so that their locks can't cross. */
const sorted = <T>(items: T[], keyOf: (item: T) => string): T[] =>
  [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
