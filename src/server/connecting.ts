import { closeSync, existsSync, openSync } from 'node:fs';
import { NewerSchemaError, SqliteInUseError, TaskOptionsError } from '../index.js';
import type { ServerConfig } from './config.js';
import { ConfigError, lineOf } from './failure.js';
import { makeFolder } from './make-folder.js';

/** A database error at start concerns DATABASE_URL, or TASK_MIGRATE if tables are missing. */
export async function connecting<T>(config: ServerConfig, connect: () => Promise<T>): Promise<T> {
  const { database, databaseUrl, dataFolder, task } = config;
  try {
    if (database.type === 'better-sqlite3' && database.database !== ':memory:') {
      makeFolder(dataFolder);
      // SQLite creates its other files with the mode of the database file. An existing file keeps its owner's mode, and
      // is not opened: closing a file drops all locks that this process has on it.
      if (!existsSync(database.database)) closeSync(openSync(database.database, 'a', 0o600));
    }
    return await connect();
  } catch (error) {
    if (!isOfDatabase(error)) throw error;
    if (task.migrate === false && error instanceof TaskOptionsError && error.problems[0]?.option === 'table')
      throw new ConfigError('TASK_MIGRATE', 'false', `run \`npm run migrate\` first: ${lineOf(error)}`);
    throw new ConfigError('DATABASE_URL', databaseUrl, `the database cannot be used: ${lineOf(error)}`);
  }
}

function isOfDatabase(error: unknown): boolean {
  if (error instanceof TaskOptionsError)
    return error.problems.every(({ option }) => option === 'table' || option === 'dataSource');
  if (error instanceof NewerSchemaError || error instanceof SqliteInUseError || error instanceof AggregateError)
    return true;
  return typeof error === 'object' && error !== null && ['errno', 'code', 'driverError'].some((name) => name in error);
}
