import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { engineOf, schemaOf } from '../store/engine.js';
import { isConflict } from '../store/failures.js';
import { mendSchema, migrationPrefix, type TaskMigrationOptions, taskMigrations } from './index.js';

/** Seconds to wait for another process's migration: adopting a large table copies it. */
const LOCK_SECONDS = 3600;

/** The database holds migrations that this release doesn't know: it belongs to a newer one. */
export class NewerSchemaError extends Error {}

/**
 * Runs the pending migrations of one task table under a lock of the database's, so that any number of processes may
 * do it at once: one runs them, the others wait and find nothing to do. What ran is kept in TypeORM's own table, as
 * if the host had run them. Afterwards whatever the schema still lacks is mended: an index that was dropped, triggers
 * made for other statuses. Answers the names of those that ran now, and what was mended.
 */
export async function runTaskMigrations(dataSource: DataSource, options: TaskMigrationOptions = {}): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    // Registrations share TypeORM's table of what ran, and make it: the lock is on that.
    return await locked(runner, ledgerTable(dataSource), async () => {
      await assertOwnLedger(dataSource, runner);
      const executor = createExecutor(dataSource, runner, options);
      await assertNotNewer(dataSource, runner, options);
      const ran = await executor.executePendingMigrations();
      const mended = await mendSchema(runner, options);
      return [...ran.map((migration) => migration.name), ...mended];
    });
  } finally {
    await runner.release();
  }
}

/** Laravel, for one, has a table `migrations` of another form. */
async function assertOwnLedger(dataSource: DataSource, runner: QueryRunner): Promise<void> {
  const ledger = ledgerTable(dataSource);
  if (!(await runner.hasTable(ledger)) || (await runner.hasColumn(ledger, 'name'))) return;
  throw new Error(
    `The table ${ledger} is not TypeORM's: another tool keeps its migrations there. ` +
      "Give TypeORM's a name of its own by `migrationsTableName` in the data source.",
  );
}

/** Throws NewerSchemaError where the database knows migrations of this table that we don't. */
export async function assertNotNewer(
  dataSource: DataSource,
  runner: QueryRunner,
  options: TaskMigrationOptions,
): Promise<void> {
  const ledger = ledgerTable(dataSource);
  if (!(await runner.hasTable(ledger)) || !(await runner.hasColumn(ledger, 'name'))) return;
  const rows = (await runner.query(`SELECT name FROM ${quoted(dataSource, ledger)}`)) as { name: string }[];
  const known = new Set(taskMigrations(options).map((Migration) => new Migration().name));
  // A release's name has no underscore: those of table tasks_video are not tasks' own.
  const own = new RegExp(`^${migrationPrefix(options.table ?? 'tasks')}[^_]+$`);
  const unknown = rows.map((row) => row.name).filter((name) => own.test(name) && !known.has(name));
  if (unknown.length > 0)
    throw new NewerSchemaError(
      `The database is newer than this release of @softdd/task: it has migration ${unknown.join(', ')}. ` +
        'Run the newer release, or restore an older database.',
    );
}

/** TypeORM's table of the migrations that ran, under the name that the host gave it. */
export const ledgerTable = (dataSource: DataSource): string => {
  const schema = schemaOf(dataSource);
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

/** The connection is gone, and what it held with it: the first error is the one to tell. */
const ignore = (): void => undefined;

async function locked<T>(runner: QueryRunner, ledger: string, work: () => Promise<T>): Promise<T> {
  const engine = engineOf(runner.connection);
  if (engine === 'mysql') {
    // Locks are the server's, not the database's, and their names end at 64 characters.
    const name = `CONCAT('softdd_task:', LEFT(SHA2(CONCAT(DATABASE(), '.', ?), 256), 40))`;
    const [row] = (await runner.query(`SELECT GET_LOCK(${name}, ?) AS locked`, [ledger, LOCK_SECONDS])) as {
      locked: unknown;
    }[];
    if (Number(row?.locked) !== 1) throw new Error(`Another process holds ${ledger} since over ${LOCK_SECONDS} s.`);
    try {
      return await work();
    } finally {
      await runner.query(`SELECT RELEASE_LOCK(${name})`, [ledger]).catch(ignore);
    }
  }
  if (engine === 'postgres') {
    await runner.query('SELECT pg_advisory_lock(hashtext($1))', [`softdd_task:${ledger}`]);
    try {
      return await work();
    } finally {
      await runner.query('SELECT pg_advisory_unlock(hashtext($1))', [`softdd_task:${ledger}`]).catch(ignore);
    }
  }
  return exclusively(runner, work);
}

/** TypeORM shares one connection: a second registration, or the host, is inside a transaction on it. */
const isNested = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('cannot start a transaction within a transaction');

/** SQLite's lock is its transaction. */
async function exclusively<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LOCK_SECONDS * 1000;
  for (;;) {
    try {
      await runner.query('BEGIN IMMEDIATE');
      break;
    } catch (error) {
      if (!(isConflict(error) || isNested(error)) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
    }
  }
  try {
    const result = await work();
    await runner.query('COMMIT');
    return result;
  } catch (error) {
    await runner.query('ROLLBACK').catch(ignore);
    throw error;
  }
}
