import { statSync } from 'node:fs';
import type { DataSource, EntityManager } from 'typeorm';
import type { Database } from './database.js';
import { engineOf } from './engine.js';
import { within } from './pooled.database.js';
import type { SqliteClient, SqliteStatement } from './sqlite.client.js';
import { rowMaker, type RowMaker } from './row-maker.js';
import { bound } from './steady-clock.js';
import { type QueryResult, runSync, type Script, type Statement } from './transaction.js';
import { sqliteClass, sqliteConnection } from './typeorm-internals.js';

interface Prepared {
  prepared: SqliteStatement;
  /** Makes the rows that it reads. undefined: it reads none. */
  make: RowMaker | undefined;
}

const STATEMENTS = 200;

/**
 * The file of a data source. undefined for another engine, and for a database in memory, whose only connection is
 * TypeORM's own.
 */
export function sqliteFile(dataSource: DataSource): string | undefined {
  if (engineOf(dataSource) !== 'sqlite') return undefined;
  const file = String(dataSource.options.database ?? '');
  return file === '' || file === ':memory:' || file.startsWith('file::memory:') ? undefined : file;
}

/**
 * The inode that a path has now. undefined if there is no file, or if the path is a `file:` URI, which only the driver
 * reads.
 */
const inodeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.ino;

/** Opens our own connection with the driver that the host gave to TypeORM. */
export function openSqlite(dataSource: DataSource, file: string): SqliteClient {
  const Client = sqliteClass(dataSource);
  const { nativeBinding, key } = dataSource.options as { nativeBinding?: string; key?: string };
  const connection = new Client(file, { timeout: 0, ...(nativeBinding ? { nativeBinding } : {}) });
  if (key) connection.exec(`PRAGMA key = ${JSON.stringify(key)}`);
  return connection;
}

/**
 * TypeORM shares one connection among all of a host's code. If the queue used it, a rollback of the host would also
 * undo the queue's commit. So the queue has its own connection, and each transaction is one synchronous call. It never
 * holds the write lock over a turn of the event loop, because the host's busy_timeout would block that loop while it
 * waits. If the file is busy, the caller tries again asynchronously.
 */
export class SqliteDatabase implements Database {
  readonly oneWriter = true;
  private readonly connection: SqliteClient;
  private readonly own: boolean;
  private readonly file: string | undefined;
  private readonly inode: number | undefined;
  private readonly statements = new Map<string, Prepared>();
  private closed = false;

  constructor(dataSource: DataSource) {
    const file = sqliteFile(dataSource);
    this.own = file !== undefined;
    this.file = file;
    this.connection = file === undefined ? sqliteConnection(dataSource) : openSqlite(dataSource, file);
    // FULL: what was acknowledged also survives a power cut. Another connection may be busy with the switch to WAL: at
    // start, and only then, waiting blocks nobody.
    if (this.own)
      this.connection.exec(
        'PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 0; ' +
          'PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON',
      );
    if (file !== undefined) this.inode = inodeOf(file);
  }

  async attempt<T>(script: () => Script<T>): Promise<T> {
    this.assertOpen();
    // A database in memory shares its connection: an open transaction of the host counts as a lock.
    if (this.connection.inTransaction) throw Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
    this.connection.exec('BEGIN IMMEDIATE');
    try {
      const result = runSync(script(), (statement) => this.execute(statement));
      this.connection.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.connection.inTransaction) this.connection.exec('ROLLBACK');
      throw error;
    }
  }

  async read<T>(script: () => Script<T>): Promise<T> {
    this.assertOpen();
    return runSync(script(), (statement) => this.execute(statement));
  }

  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
    return within(manager, script, new Set());
  }

  /** Commits, because a full or failing disk shows only at the commit. */
  async check(script: () => Script<void>): Promise<void> {
    if (this.file !== undefined && inodeOf(this.file) !== this.inode)
      throw new Error(`the file ${this.file} was removed or replaced after it was opened; restart the process`);
    await this.attempt(script);
  }

  /** Again: nothing. A host may close its app twice. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (!this.own) return;
    // After this the file alone is complete: a copy of it is a backup.
    this.connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.connection.close();
  }

  /** libsql ends the whole process if a closed connection is used. */
  private assertOpen(): void {
    if (this.closed) throw new Error('the queue has stopped and its database connection is closed');
  }

  private execute(statement: Statement): QueryResult {
    const { prepared, make } = this.prepare(statement.sql);
    const values = bound(statement.values).map((value) => (typeof value === 'boolean' ? Number(value) : value));
    if (make) return { rows: prepared.all(...values).map(make), affected: 0 };
    return { rows: [], affected: prepared.run(...values).changes };
  }

  private prepare(text: string): Prepared {
    const ready = this.statements.get(text);
    if (ready) return ready;
    // Lists of varying length make new texts without end, so the cache is emptied when it is full.
    if (this.statements.size >= STATEMENTS) this.statements.clear();
    const prepared = this.connection.prepare(text);
    // Arrays, because the driver makes objects property by property.
    const make = prepared.reader
      ? rowMaker(
          prepared
            .raw()
            .columns()
            .map(({ name }) => name),
        )
      : undefined;
    const known = { prepared, make };
    this.statements.set(text, known);
    return known;
  }
}
