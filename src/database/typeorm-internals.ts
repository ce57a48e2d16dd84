/**
 * All private parts of TypeORM that the queue uses, in one file: parts that TypeORM's documentation does not describe,
 * and that a release may move without saying so. No other file of src/ uses one.
 *
 * The tests run all of them against TypeORM 0.3 and 1.x, and name the part that has moved.
 */
import type { EventEmitter } from 'node:events';
import { type DataSource, MigrationExecutor, type MigrationInterface, type QueryRunner } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import type { MysqlClient } from './mysql.connection.js';
import type { PostgresClient } from './postgres.pipeline.js';
import type { SqliteClient, SqliteClientClass } from './sqlite.client.js';

/** One column of an entity. TypeORM does not export the class from its entry point. */
export type { ColumnMetadata };

/** A client of the pool, and the call that gives it back. A broken one is closed. */
export type PostgresLoan = [client: PostgresClient, release: (isBroken?: boolean) => void];

/** Takes a connection from the data source's pool of mysql2. The caller gives it back with `release()`. */
export function obtainMysql(dataSource: DataSource): Promise<MysqlClient> {
  return call(dataSource, 'obtainMasterConnection') as Promise<MysqlClient>;
}

/** Takes a client from the data source's pool of pg. */
export function obtainPostgres(dataSource: DataSource): Promise<PostgresLoan> {
  return call(dataSource, 'obtainMasterConnection') as Promise<PostgresLoan>;
}

/** Calls the listener with each new client of the data source's pool of pg, before its first query. */
export function onPostgresConnect(dataSource: DataSource, listener: (client: EventEmitter) => void): void {
  (part(dataSource, 'master') as EventEmitter).on('connect', listener);
}

/** The one connection that TypeORM itself has to a SQLite database. */
export function sqliteConnection(dataSource: DataSource): SqliteClient {
  return part(dataSource, 'databaseConnection') as SqliteClient;
}

/** The class of SQLite connections, from the package that the host gave TypeORM: better-sqlite3 or libsql. */
export function sqliteClass(dataSource: DataSource): SqliteClientClass {
  return part(dataSource, 'sqlite') as SqliteClientClass;
}

/**
 * TypeORM's executor for these migrations alone. The class is exported, but it reads its migrations from the data
 * source: so it gets the host's data source with other migrations. It opens no transaction.
 */
export function migrationExecutor(
  dataSource: DataSource,
  runner: QueryRunner,
  migrations: MigrationInterface[],
): MigrationExecutor {
  const view = Object.create(dataSource, { migrations: { value: migrations } }) as DataSource;
  const executor = new MigrationExecutor(view, runner);
  executor.transaction = 'none';
  return executor;
}

/** A column's value as an entity has it: transformers and column types are applied. */
export function fromDatabase(dataSource: DataSource, value: unknown, column: ColumnMetadata): unknown {
  return dataSource.driver.prepareHydratedValue(value, column);
}

/** A column's value as the driver's package takes it. */
export function toDatabase(dataSource: DataSource, value: unknown, column: ColumnMetadata): unknown {
  return dataSource.driver.preparePersistentValue(value, column);
}

function part(dataSource: DataSource, name: string): unknown {
  const found = (dataSource.driver as unknown as Record<string, unknown>)[name];
  if (found === undefined)
    throw new Error(
      `The TypeORM driver ${dataSource.options.type} has no \`${name}\`, which @softdd/task needs. ` +
        'Install a release of TypeORM that the peerDependencies of @softdd/task allow.',
    );
  return found;
}

function call(dataSource: DataSource, name: string): unknown {
  return (part(dataSource, name) as () => unknown).call(dataSource.driver);
}
