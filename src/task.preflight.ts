import type { DataSource, EntityMetadata } from 'typeorm';
import { type OptionProblem, TaskOptionsError } from './contract/options.error.js';
import { skipLockedProblem } from './database/engine.check.js';
import { schemaOf } from './database/engine.js';
import { dtoFields } from './http/request/input.pipe.js';
import type { ResolvedTaskOptions } from './options/task.options.js';
import { schemaProblems, type TaskMigrationOptions, taskMigrations } from './schema/migrations.js';
import { assertNotNewer, ledgerTable, quoted } from './schema/runner.js';

/** Throws the error of one option. */
type Fail = (option: string, msg: string) => never;

/** The entity as the data source has it, after checks of the options that concern it. */
export function entityMetadata(options: ResolvedTaskOptions, dataSource: DataSource, fail: Fail): EntityMetadata {
  const { entity, table, dto } = options;
  if (!dataSource.hasMetadata(entity))
    fail(
      'entity',
      `${entity.name} is not in the data source; add it to \`entities\`, or set \`autoLoadEntities: true\` in TypeOrmModule.forRoot()` +
        (Object.hasOwn(entity, 'prototype') ? `, and decorate it with @Entity('tasks', { synchronize: false })` : ''),
    );
  const metadata = dataSource.getMetadata(entity);
  // The data source's entityPrefix or naming strategy may have changed the entity's table name.
  if (table !== undefined && ![metadata.tableName, metadata.givenTableName].includes(table))
    fail('table', `is ${table}, but ${entity.name} is stored in ${metadata.tableName}; remove the option`);
  const where = [metadata.schema, metadata.database].filter((name) => name !== undefined).join('.');
  const { database } = dataSource.options;
  if (
    (metadata.schema ?? schemaOf(dataSource)) !== schemaOf(dataSource) ||
    (metadata.database ?? database) !== database
  )
    fail('entity', `${entity.name} is stored in ${where}; move it to the database of the data source's other tables`);
  const columns = metadata.columns.map((column) => column.propertyName);
  const problems: OptionProblem[] = (dto ? dtoFields(dto) : [])
    .filter((field) => !columns.includes(field))
    .map((field) => ({
      option: 'dto',
      msg: `${dto!.name}.${field} is not a column of ${entity.name}; add an @Column()`,
    }));
  if (problems.length > 0) throw new TaskOptionsError(options.name, problems);
  return metadata;
}

/** Checks the schema, and whether the engine really skips locked rows. */
export async function checkDatabase(
  dataSource: DataSource,
  schema: TaskMigrationOptions & { table: string },
  fail: Fail,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  let ledger: string | undefined;
  try {
    await assertNotNewer(dataSource, runner, schema);
    const problems = await schemaProblems(runner, schema);
    if (problems.length > 0)
      fail(
        'table',
        `the schema of ${schema.table} does not match the options: ${problems.join('; ')}. ` +
          'Run the migrations (taskMigrations() with the same `table` and `status`; option `migrate` does it at start), ' +
          'and keep `synchronize` off for the entity, because it would undo them',
      );
    if (await runner.hasColumn(ledgerTable(dataSource), 'name').catch(() => false))
      ledger = quoted(dataSource, ledgerTable(dataSource));
  } finally {
    await runner.release();
  }
  if (!ledger) return;
  const [newest] = taskMigrations(schema).map((Migration) => new Migration().name);
  const problem = await skipLockedProblem(dataSource, `SELECT name FROM ${ledger} WHERE name = '${newest}'`);
  if (problem) fail('dataSource', problem);
}

/** The host's own columns need the host's own migration. */
export async function checkOwnColumns(dataSource: DataSource, metadata: EntityMetadata, fail: Fail): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    const present = new Set((await runner.getTable(metadata.tablePath))?.columns.map((column) => column.name));
    const missing = metadata.columns.map((column) => column.databaseName).filter((name) => !present.has(name));
    if (missing.length > 0)
      fail(
        'entity',
        `${metadata.name} has column ${missing.join(', ')}, which table ${metadata.tableName} does not have; ` +
          'add it with a migration of your own',
      );
  } finally {
    await runner.release();
  }
}
