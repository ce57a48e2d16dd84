import type { DataSource, MigrationExecutor, QueryRunner } from 'typeorm';
import { engineOf, schemaOf } from '../database/engine.js';
import { migrationExecutor } from '../database/typeorm-internals.js';
import {
  mendSchema,
  migrationPrefix,
  schemaProblems,
  type TaskMigrationOptions,
  taskMigrations,
} from './migrations.js';
import { locked } from './lock.js';
import { withOurModes } from './engines/mysql.session.js';

/** The database holds migrations that this release does not know: it belongs to a newer release. */
export class NewerSchemaError extends Error {}

/**
 * Runs the pending migrations of one task table under a lock of the database, so that any number of processes may call
 * it at once: one runs them, the others wait and find nothing to do. TypeORM's own table records what ran, as if the
 * host had run it. Afterwards it repairs what the schema still lacks: an index that was dropped, or triggers for other
 * statuses. Returns the names of the migrations that ran now, and the repairs.
 */
export async function runTaskMigrations(dataSource: DataSource, options: TaskMigrationOptions = {}): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    // Registrations share TypeORM's table of migrations, and create it, so the lock is on that table.
    return await withOurModes(runner, async () => {
      // The lock of a Galera cluster needs a table. A start with nothing to do must not need the privilege to create
      // it.
      if (engineOf(dataSource) === 'mysql' && (await isWhole(dataSource, runner, options))) return [];
      return locked(runner, ledgerTable(dataSource), async () => {
        await assertOwnLedger(dataSource, runner);
        const executor = createExecutor(dataSource, runner, options);
        await assertNotNewer(dataSource, runner, options);
        // Obstacles are reported here, once. TypeORM would report them, too.
        await schemaProblems(runner, options);
        const ran = await executor.executePendingMigrations();
        const mended = await mendSchema(runner, options);
        return [...ran.map((migration) => migration.name), ...mended];
      });
    });
  } finally {
    await runner.release();
  }
}

/** Whether exactly the migrations of this release have run, and the schema lacks nothing. */
async function isWhole(dataSource: DataSource, runner: QueryRunner, options: TaskMigrationOptions): Promise<boolean> {
  const ran = await namesOf(dataSource, runner, options);
  const known = knownNames(options);
  return (
    ran.length === known.length &&
    known.every((name) => ran.includes(name)) &&
    (await schemaProblems(runner, options)).length === 0
  );
}

/** Laravel, for example, has a table `migrations` of another form. */
async function assertOwnLedger(dataSource: DataSource, runner: QueryRunner): Promise<void> {
  const ledger = ledgerTable(dataSource);
  if (!(await runner.hasTable(ledger)) || (await runner.hasColumn(ledger, 'name'))) return;
  throw new Error(
    `The table ${ledger} belongs to another tool, which keeps its migrations there. ` +
      'Set `migrationsTableName` in the data source to another name.',
  );
}

/** Throws NewerSchemaError if the database has migrations of this table that this release does not know. */
export async function assertNotNewer(
  dataSource: DataSource,
  runner: QueryRunner,
  options: TaskMigrationOptions,
): Promise<void> {
  const known = knownNames(options);
  const unknown = (await namesOf(dataSource, runner, options)).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new NewerSchemaError(
      `The database is newer than this release of @softdd/task: it has migration ${unknown.join(', ')}. ` +
        'Run the newer release, or restore an older database.',
    );
}

const knownNames = (options: TaskMigrationOptions): string[] =>
  taskMigrations(options).map((Migration) => new Migration().name);

/** Migrations of this table that have run. */
async function namesOf(dataSource: DataSource, runner: QueryRunner, options: TaskMigrationOptions): Promise<string[]> {
  const ledger = ledgerTable(dataSource);
  if (!(await runner.hasTable(ledger)) || !(await runner.hasColumn(ledger, 'name'))) return [];
  const rows = (await runner.query(`SELECT name FROM ${quoted(dataSource, ledger)}`)) as { name: string }[];
  // A release's name has no underscore, so the migrations of table tasks_video do not match those of tasks.
  const own = new RegExp(`^${migrationPrefix(options.table ?? 'tasks')}[^_]+$`);
  return rows.map((row) => row.name).filter((name) => own.test(name));
}

/** TypeORM's table of migrations, under the name that the host gave it. */
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

/** TypeORM's executor over the host's data source, only for our migrations. */
function createExecutor(dataSource: DataSource, runner: QueryRunner, options: TaskMigrationOptions): MigrationExecutor {
  const migrations = taskMigrations(options).map((Migration) => new Migration());
  // It opens no transaction: on PostgreSQL and SQLite the lock is one, and MySQL commits at every DDL anyway.
  return migrationExecutor(dataSource, runner, migrations);
}
