import type { DataSource, EntityManager } from 'typeorm';
import type { Database } from './database.js';
import { within } from './pooled.database.js';
import { type QueryResult, type Row, runSync, type Script, type Statement } from './transaction.js';

/** What we use of better-sqlite3's API; libsql has the same. */
export interface SqliteStatement {
  reader: boolean;
  all(...values: unknown[]): Row[];
  run(...values: unknown[]): { changes: number };
}
export interface SqliteConnection {
  readonly inTransaction: boolean;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  close(): void;
}
interface SqliteDriver {
  sqlite: new (file: string, options: Record<string, unknown>) => SqliteConnection;
  databaseConnection: SqliteConnection;
}

interface Prepared {
  prepared: SqliteStatement;
  /** Asking the driver each time takes as long as a step of the statement. */
  reader: boolean;
}

const STATEMENTS = 200;

/** The file of a data source, or undefined for one in memory, whose only connection is TypeORM's own. */
export function sqliteFile(dataSource: DataSource): string | undefined {
  const file = String(dataSource.options.database ?? '');
  return file === '' || file === ':memory:' || file.startsWith('file::memory:') ? undefined : file;
}

/** Opens a connection of our own with the driver that the host gave TypeORM. */
export function openSqlite(dataSource: DataSource, file: string): SqliteConnection {
  const { sqlite: Connection } = dataSource.driver as unknown as SqliteDriver;
  const connection = new Connection(file, { timeout: 0 });
  const key = (dataSource.options as { key?: string }).key;
  if (key) connection.exec(`PRAGMA key = ${JSON.stringify(key)}`);
  return connection;
}

/**
 * TypeORM shares one connection among all of a host's code: were ours on it, a rollback of theirs would take our
 * commit along. So the store has a connection of its own, and each transaction is one synchronous call, which never
 * holds the write lock over a turn of the event loop (the host's busy_timeout would block that loop while we wait for
 * it). A busy file is tried again by the caller, asynchronously.
 */
export class SqliteDatabase implements Database {
  readonly oneWriter = true;
  private readonly connection: SqliteConnection;
  private readonly own: boolean;
  private readonly statements = new Map<string, Prepared>();

  constructor(dataSource: DataSource) {
    const file = sqliteFile(dataSource);
    this.own = file !== undefined;
    this.connection =
      file === undefined
        ? (dataSource.driver as unknown as SqliteDriver).databaseConnection
        : openSqlite(dataSource, file);
    // FULL: what was acknowledged outlives a power cut, too.
    // Another connection may be busy with the switch to WAL: at start, and only then, waiting blocks nobody.
    if (this.own)
      this.connection.exec(
        'PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 0; ' +
          'PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON',
      );
  }

  async attempt<T>(script: () => Script<T>): Promise<T> {
    // In memory the connection is shared: somebody's open transaction is waited for like any other lock.
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
    return runSync(script(), (statement) => this.execute(statement));
  }

  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
    return within(manager, script);
  }

  async close(): Promise<void> {
    if (!this.own) return;
    // The file alone is then whole: a copy of it is a backup.
    this.connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.connection.close();
  }

  private execute(statement: Statement): QueryResult {
    const { prepared, reader } = this.prepare(statement.sql);
    const values = statement.values.map((value) => (typeof value === 'boolean' ? Number(value) : value));
    if (reader) return { rows: prepared.all(...values), affected: 0 };
    return { rows: [], affected: prepared.run(...values).changes };
  }

  private prepare(text: string): Prepared {
    const ready = this.statements.get(text);
    if (ready) return ready;
    // Lists of varying length make new texts without end: start over rather than keep them all.
    if (this.statements.size >= STATEMENTS) this.statements.clear();
    const prepared = this.connection.prepare(text);
    const known = { prepared, reader: prepared.reader };
    this.statements.set(text, known);
    return known;
  }
}
