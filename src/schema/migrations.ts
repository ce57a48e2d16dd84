import type { MigrationInterface, QueryRunner } from 'typeorm';
import { TASK_STATUS, type TaskStatusCatalogue } from '../contract/status.js';
import type { StoredTimes } from '../database/stored-time.js';
import { createSchema } from './engines/create-schema.js';
import { withOurModes } from './engines/mysql.session.js';
import { RELEASES } from './releases.js';
import type { SchemaStep, TaskSchema, TaskSchemaOptions } from './schema.js';
import { runStep } from './steps.js';

export interface TaskMigrationOptions {
  /**
   * Name of the task table.
   * @defaultValue 'tasks'
   */
  table?: string | undefined;
  /**
   * The registration's `status` catalogue. Triggers, predicates and defaults embed its BEGIN and INIT.
   * @defaultValue TASK_STATUS
   */
  status?: TaskStatusCatalogue | undefined;
  /**
   * ISO 8601 offset in which an adopted table's `created_at` and `updated_at` were written.
   * @defaultValue '+00:00'
   */
  timeZone?: string | undefined;
  /**
   * Whether services may ever have `fair` or `maxRunningPerOwner`, for which the ready tasks need an index by owner. The
   * module itself asks for it if operators are configured, or if option `services` names a service.
   * @defaultValue true
   */
  turns?: boolean | undefined;
}

/** A migration as TypeORM expects it: its name ends with the 13 digits that order it. */
export type TaskMigration = new () => MigrationInterface & { name: string };

/**
 * The migrations of one task table, for a DataSource's `migrations`. They create the table, or upgrade a legacy `tasks`
 * table in place and keep every row. If they are interrupted, they can run again, and running twice changes nothing.
 * `down` removes what was added, and the table only if it was created here.
 */
export function taskMigrations(options: TaskMigrationOptions = {}): TaskMigration[] {
  const resolved = resolve(options);
  return RELEASES.map(
    ({ name, tables }, index) =>
      class {
        readonly name = `${migrationPrefix(resolved.table)}${name}`;

        async up(runner: QueryRunner): Promise<void> {
          await runSteps(runner, resolved, (schema) => schema.missing());
        }

        async down(runner: QueryRunner): Promise<void> {
          await runSteps(runner, resolved, (schema) => (index === 0 ? schema.removal() : schema.removalOf(tables)));
        }
      },
  );
}

/** The differences between the table in the database and the options. Empty if it fits. */
export async function schemaProblems(runner: QueryRunner, options: TaskMigrationOptions): Promise<string[]> {
  const steps = await withOurModes(runner, async () => (await createSchema(runner, resolve(options))).missing());
  return [...new Set(steps.map((step) => step.what))];
}

/** How the existing table keeps `created_at` and `updated_at`. */
export const storedTimes = (runner: QueryRunner, options: TaskMigrationOptions): Promise<StoredTimes> =>
  withOurModes(runner, async () => (await createSchema(runner, resolve(options))).times());

/** Adds what the schema still lacks, also if all migrations have run. Returns what was added. */
export async function mendSchema(runner: QueryRunner, options: TaskMigrationOptions): Promise<string[]> {
  const steps = await runSteps(runner, resolve(options), (schema) => schema.missing());
  return [...new Set(steps.map((step) => step.what))];
}

/** The prefix of a table's migrations in TypeORM's own table of migrations. */
export const migrationPrefix = (table: string): string => `SoftddTask_${table}_`;

function resolve(options: TaskMigrationOptions): TaskSchemaOptions {
  return {
    table: options.table ?? 'tasks',
    status: options.status ?? (TASK_STATUS as TaskStatusCatalogue),
    timeZone: options.timeZone ?? '+00:00',
    turns: options.turns ?? true,
  };
}

/** Adds what is missing and removes what is left over. Returns what was done. */
const runSteps = (
  runner: QueryRunner,
  options: TaskSchemaOptions,
  find: (schema: TaskSchema) => SchemaStep[] | Promise<SchemaStep[]>,
): Promise<SchemaStep[]> =>
  withOurModes(runner, async () => {
    const steps = await find(await createSchema(runner, options));
    for (const step of steps) await runStep(runner, step, options.table);
    return steps;
  });
