import type { DataSource } from 'typeorm';
import { isConflict } from './failures.js';
import { openSqlite, sqliteFile } from './sqlite.database.js';

/** Another process serves the file. */
export class SqliteInUseError extends Error {}

/**
 * SQLite serves one server process: an exclusive lock on a file beside the database, held as long as the process
 * lives (the operating system gives it back, even after kill -9). Answers how to give it back; throws where another
 * process has it.
 */
export function lockSqlite(dataSource: DataSource, table: string): () => void {
  const file = sqliteFile(dataSource);
  if (file === undefined) return () => undefined;
  const lock = openSqlite(dataSource, `${file}.${table}.lock`);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isConflict(error)) throw error;
    throw new SqliteInUseError(
      `Another server process uses the SQLite file ${file}. SQLite serves one process: stop the other, ` +
        'or move to MySQL, MariaDB or PostgreSQL.',
      { cause: error },
    );
  }
  return () => lock.close();
}
