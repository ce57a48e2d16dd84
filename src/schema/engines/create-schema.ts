import type { QueryRunner } from 'typeorm';
import { engineOf } from '../../database/engine.js';
import { SIDE_TABLES } from '../releases.js';
import type { TaskSchema, TaskSchemaOptions } from '../schema.js';
import { binaryCollation } from './mysql.inspect.js';
import { MysqlTaskSchema } from './mysql.schema.js';
import { PostgresTaskSchema } from './postgres.schema.js';
import { SqliteTaskSchema } from './sqlite.schema.js';

/** The declared tables in the database of this runner. */
export async function createSchema(
  runner: QueryRunner,
  options: TaskSchemaOptions,
  sides = SIDE_TABLES,
): Promise<TaskSchema> {
  const engine = engineOf(runner.connection);
  if (engine === 'mysql') return new MysqlTaskSchema(runner, options, sides, await binaryCollation(runner));
  if (engine === 'postgres') return new PostgresTaskSchema(runner, options, sides);
  if (engine === 'sqlite') return new SqliteTaskSchema(runner, options, sides);
  throw new Error(
    `taskMigrations() supports MySQL, MariaDB, PostgreSQL and SQLite, not ${runner.connection.options.type}.`,
  );
}
