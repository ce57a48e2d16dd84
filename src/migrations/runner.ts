import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { engineOf } from '../store/engine.js';
import { isConflict } from '../store/failures.js';
import { migrationPrefix, type TaskMigrationOptions, taskMigrations } from './index.js';

/** Seconds to wait for another process's migration: adopting a large table copies it. */
const LOCK_SECONDS = 3600;

/** The database holds migrations that this release doesn't know: it belongs to a newer one. */
export class NewerSchemaError extends Error {}

/**
 * Runs the pending migrations of one task table under a lock of the database's, so that any number of processes may
 * do it at once: one runs them, the others wait and find nothing to do. What ran is kept in TypeORM's own table, as
 * if the host had run them. Answers the names of those that ran now.
 */
export async function runTaskMigrations(dataSource: DataSource, options: TaskMigrationOptions = {}): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    return await locked(runner, options.table ?? 'tasks', async () => {
      const executor = createExecutor(dataSource, runner, options);
      await assertNotNewer(dataSource, runner, options);
      const ran = await executor.executePendingMigrations();
      return ran.map((migration) => migration.name);
    });
  } finally {
    await runner.release();
  }
}

/** Throws NewerSchemaError where the database knows migrations of this table that we don't. */
export async function assertNotNewer(
  dataSource: DataSource,
  runner: QueryRunner,
  options: TaskMigrationOptions,
): Promise<void> {
  const ledger = ledgerTable(dataSource);
  if (!(await runner.hasTable(ledger))) return;
  const rows = (await runner.query(`SELECT name FROM ${quoted(dataSource, ledger)}`)) as { name: string }[];
  const known = new Set(taskMigrations(options).map((Migration) => new Migration().name));
  const prefix = migrationPrefix(options.table ?? 'tasks');
  const unknown = rows.map((row) => row.name).filter((name) => name.startsWith(prefix) && !known.has(name));
  if (unknown.length > 0)
    throw new NewerSchemaError(
      `The database is newer than this release of @softdd/task: it has migration ${unknown.join(', ')}. ` +
        'Run the newer release, or restore an older database.',
    );
}

/** TypeORM's table of the migrations that ran, under the name that the host gave it. */
export const ledgerTable = (dataSource: DataSource): string => {
  const { schema } = dataSource.options as { schema?: string };
  const name = dataSource.options.migrationsTableName ?? 'migrations';
  return schema ? `${schema}.${name}` : name;
};

export const quoted = (dataSource: DataSource, path: string): string =>
  path
    .split('.')
    .map((part) => dataSource.driver.escape(part))
    .join('.');

/** TypeORM's executor over the host's data source, but for our migrations alone. */
function createExecutor(dataSource: DataSource, runner: QueryRunner, options: TaskMigrationOptions): MigrationExecutor {
  const migrations = taskMigrations(options).map((Migration) => new Migration());
  const view = Object.create(dataSource, { migrations: { value: migrations } }) as DataSource;
  const executor = new MigrationExecutor(view, runner);
  // PostgreSQL changes schemas inside a transaction, and SQLite's is the lock; MySQL commits at every DDL anyway.
  executor.transaction = engineOf(dataSource) === 'postgres' ? 'all' : 'none';
  return executor;
}

async function locked<T>(runner: QueryRunner, table: string, work: () => Promise<T>): Promise<T> {
  const engine = engineOf(runner.connection);
  if (engine === 'mysql') {
    const name = `softdd_task:${table}`;
    const [row] = (await runner.query('SELECT GET_LOCK(CONCAT(LEFT(DATABASE(), 20), ?), ?) AS locked', [
      name.slice(0, 44),
      LOCK_SECONDS,
    ])) as { locked: unknown }[];
    if (Number(row?.locked) !== 1) throw new Error(`Another process migrates ${table} since over ${LOCK_SECONDS} s.`);
    try {
      return await work();
    } finally {
      await runner.query('SELECT RELEASE_LOCK(CONCAT(LEFT(DATABASE(), 20), ?))', [name.slice(0, 44)]);
    }
  }
  if (engine === 'postgres') {
    await runner.query('SELECT pg_advisory_lock(hashtext($1))', [`softdd_task:${table}`]);
    try {
      return await work();
    } finally {
      await runner.query('SELECT pg_advisory_unlock(hashtext($1))', [`softdd_task:${table}`]);
    }
  }
  return exclusively(runner, work);
}

/** SQLite's lock is its transaction. */
async function exclusively<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LOCK_SECONDS * 1000;
  for (;;) {
    try {
      await runner.query('BEGIN IMMEDIATE');
      break;
    } catch (error) {
      if (!isConflict(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
    }
  }
  try {
    const result = await work();
    await runner.query('COMMIT');
    return result;
  } catch (error) {
    await runner.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
