import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import type { DataSource } from 'typeorm';
import { isConflict } from './failure-classes.js';
import { openSqlite, sqliteFile } from './sqlite.database.js';

/** Another process uses the file. */
export class SqliteInUseError extends Error {}

/**
 * SQLite serves one server process: an exclusive lock on a file next to the database, held while the process lives (the
 * operating system releases it, also after kill -9). Returns a function that releases it. Throws if another process has
 * it.
 */
export function lockSqlite(dataSource: DataSource, table: string): () => void {
  const file = sqliteFile(dataSource);
  if (file === undefined) return () => undefined;
  const name = `${file}.${table}.lock`;
  // A user who may not read the database may not hold its lock either, so the lock file gets the same mode. An existing
  // file is not opened: closing it would drop the lock that another data source of this process has on it.
  if (!existsSync(name)) closeSync(openSync(name, 'a', statSync(file).mode & 0o777));
  const lock = openSqlite(dataSource, name);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isConflict(error)) throw error;
    throw new SqliteInUseError(
      `Another server process uses the SQLite file ${file}. SQLite serves one process; stop the other process, ` +
        'or use MySQL, MariaDB or PostgreSQL.',
      { cause: error },
    );
  }
  return () => lock.close();
}
