import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { NewerSchemaError } from '../migrations/runner.js';
import { SqliteInUseError } from '../store/sqlite.lock.js';
import { TaskOptionsError } from '../task.options.js';
import type { ServerConfig } from './config.js';
import { withoutPassword } from './database.js';
import { ConfigError, lineOf } from './failure.js';

/** What goes wrong between us and the database is a matter of DATABASE_URL, or of TASK_MIGRATE where tables are missing. */
export async function connecting<T>(config: ServerConfig, connect: () => Promise<T>): Promise<T> {
  const { database, databaseUrl, dataFolder, task } = config;
  try {
    if (database.type === 'better-sqlite3' && database.database !== ':memory:') makeFolder(dataFolder);
    return await connect();
  } catch (error) {
    if (!isOfDatabase(error)) throw error;
    if (task.migrate === false && error instanceof TaskOptionsError && error.problems[0]?.option === 'table')
      throw new ConfigError('TASK_MIGRATE', 'false', `then \`npm run migrate\` must run before: ${lineOf(error)}`);
    throw new ConfigError('DATABASE_URL', withoutPassword(databaseUrl), `the database can't be used: ${lineOf(error)}`);
  }
}

/** mkdirSync({ recursive: true }) of Node 20 never returns for a folder below /proc. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    // Tasks and secrets are for the owner's eyes.
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  }
}

function isOfDatabase(error: unknown): boolean {
  if (error instanceof TaskOptionsError)
    return error.problems.every(({ option }) => option === 'table' || option === 'dataSource');
  if (error instanceof NewerSchemaError || error instanceof SqliteInUseError || error instanceof AggregateError)
    return true;
  return error instanceof Error && ('errno' in error || 'code' in error || 'driverError' in error);
}
