import type { MigrationInterface, QueryRunner } from 'typeorm';
import { TASK_STATUS, type TaskStatusCatalogue } from '../contract/status.js';
import { engineOf } from '../store/engine.js';
import { MysqlTaskSchema } from './mysql.schema.js';
import { PostgresTaskSchema } from './postgres.schema.js';
import type { SchemaStep, TaskSchema, TaskSchemaOptions } from './schema.js';
import { SqliteTaskSchema } from './sqlite.schema.js';

export interface TaskMigrationOptions {
  /**
   * Name of the task table.
   * @defaultValue 'tasks'
   */
  table?: string | undefined;
  /**
   * The registration's `status` catalogue: triggers, predicates and defaults embed BEGIN and INIT.
   * @defaultValue TASK_STATUS
   */
  status?: TaskStatusCatalogue | undefined;
  /**
   * ISO 8601 offset in which an adopted table's `created_at` and `updated_at` were written.
   * @defaultValue '+00:00'
   */
  timeZone?: string | undefined;
}

/** A migration as TypeORM takes it: its name ends with the 13 digits that order it. */
export type TaskMigration = new () => MigrationInterface & { name: string };

/** A release that changed the schema. `up` brings a table from wherever it is to the schema of today. */
interface Release {
  name: string;
  /** What `down` takes away: this release's own changes, and no earlier one's. */
  removal(schema: TaskSchema, runner: QueryRunner): Promise<SchemaStep[]>;
}
const RELEASES: readonly Release[] = [
  { name: 'Initial1763900000000', removal: (schema, runner) => schema.removal(runner) },
];

/**
 * The migrations of one task table, for a DataSource's `migrations`. They make the table, or upgrade an original
 * `tasks` table in place, keeping every row. Interrupted anywhere, they can be run again; run twice, they change
 * nothing. `down` takes away what was added, and the table only if it was made here.
 */
export function taskMigrations(options: TaskMigrationOptions = {}): TaskMigration[] {
  const { table, status, timeZone } = resolve(options);
  return RELEASES.map(
    (release) =>
      class {
        readonly name = `${migrationPrefix(table)}${release.name}`;

        async up(runner: QueryRunner): Promise<void> {
          const schema = createSchema(runner, { table, status, timeZone });
          for (const step of await schema.missing(runner)) await runStep(runner, step);
        }

        async down(runner: QueryRunner): Promise<void> {
          const schema = createSchema(runner, { table, status, timeZone });
          for (const step of await release.removal(schema, runner)) await runStep(runner, step);
        }
      },
  );
}

/** What keeps the table in the database from what the options ask for: empty when it fits. */
export async function schemaProblems(runner: QueryRunner, options: TaskMigrationOptions): Promise<string[]> {
  const steps = await createSchema(runner, resolve(options)).missing(runner);
  return [...new Set(steps.map((step) => step.what))];
}

/** Does what the schema still lacks, whatever ran before; answers what that was. */
export async function mendSchema(runner: QueryRunner, options: TaskMigrationOptions): Promise<string[]> {
  const steps = await createSchema(runner, resolve(options)).missing(runner);
  for (const step of steps) await runStep(runner, step);
  return [...new Set(steps.map((step) => step.what))];
}

/** How the names of a table's migrations begin in TypeORM's own table of those that ran. */
export const migrationPrefix = (table: string): string => `SoftddTask_${table}_`;

function resolve(options: TaskMigrationOptions): TaskSchemaOptions {
  return {
    table: options.table ?? 'tasks',
    status: options.status ?? (TASK_STATUS as TaskStatusCatalogue),
    timeZone: options.timeZone ?? '+00:00',
  };
}

function createSchema(runner: QueryRunner, options: TaskSchemaOptions): TaskSchema {
  const engine = engineOf(runner.connection);
  if (engine === 'mysql') return new MysqlTaskSchema(options);
  if (engine === 'postgres') return new PostgresTaskSchema(options);
  if (engine === 'sqlite') return new SqliteTaskSchema(options);
  throw new Error(
    `taskMigrations() knows MySQL, MariaDB, PostgreSQL and SQLite, not ${runner.connection.options.type}.`,
  );
}

async function runStep(runner: QueryRunner, step: SchemaStep): Promise<void> {
  try {
    await runner.query(step.sql);
  } catch (cause) {
    throw new Error(`${step.what}: ${(cause as Error).message}.${await remedy(runner, cause)}`, { cause });
  }
}

/** What to grant or set, where the database refuses. */
async function remedy(runner: QueryRunner, cause: unknown): Promise<string> {
  const { errno } = (cause as { driverError?: { errno?: number } }).driverError ?? {};
  if (errno === 1419)
    return (
      ' Binary logging is on, and this user may not create triggers under it. As an administrator run' +
      ' SET GLOBAL log_bin_trust_function_creators = 1 (keep it in the server configuration),' +
      ' or GRANT SUPER ON *.* TO this user for the time of the migration; then migrate again.'
    );
  if (errno === 1142 || errno === 1044 || errno === 1227)
    return ` As an administrator run GRANT CREATE, ALTER, DROP, INDEX, TRIGGER ON ${await grantee(runner)}; then migrate again.`;
  if (errno === 1832 || errno === 1833 || errno === 3780)
    return ' A foreign key refers to the column: drop it, migrate, and make it again with the new collation.';
  return '';
}

/** The database and the account, as GRANT names them. */
async function grantee(runner: QueryRunner): Promise<string> {
  const [row] = (await runner.query('SELECT DATABASE() AS name, CURRENT_USER() AS account')) as {
    name: string;
    account: string;
  }[];
  const at = row!.account.lastIndexOf('@');
  return `\`${row!.name}\`.* TO '${row!.account.slice(0, at)}'@'${row!.account.slice(at + 1)}'`;
}
