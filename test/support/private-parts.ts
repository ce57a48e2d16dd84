import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createDatabase, type Engine, ENGINES, type TestDatabase } from './databases.js';

const SCRIPT = join(import.meta.dirname, 'try-private-parts.mjs');

const PARTS: Record<Engine, string[]> = {
  sqlite: [
    'SQLite: driver.databaseConnection',
    'SQLite: driver.sqlite',
    'MigrationExecutor over a data source with other migrations',
    "MigrationExecutor.transaction = 'none'",
    'driver.preparePersistentValue',
    'driver.prepareHydratedValue',
    'ColumnMetadata',
    'EntityMetadata',
    'QueryRunner.connection',
  ],
  mysql: [
    'MySQL: driver.obtainMasterConnection',
    'MySQL: QueryRunner.connect answers a client',
    'mysql2: connection.stream',
  ],
  postgres: [
    "PostgreSQL: driver.master.on('connect')",
    'PostgreSQL: driver.obtainMasterConnection',
    'PostgreSQL: QueryRunner.connect answers a client',
    'pg: Client.Query',
    'pg: client.connection',
    'pg: Query.prepare and Query.handleError',
    'pg: connection.stream',
  ],
};

/** The report that says that every private part is where the library looks for it, on the engines under test. */
export const ALL_PARTS = Object.fromEntries(ENGINES.flatMap((engine) => PARTS[engine]).map((name) => [name, 'ok']));

/** Tries the private parts with the built package in this folder, and the drivers that it finds from there. */
export async function tryPrivateParts(folder: string): Promise<{ version: string; report: Record<string, string> }> {
  const databases = new Map<Engine, TestDatabase>();
  try {
    for (const engine of ENGINES) databases.set(engine, await createDatabase(engine));
    const urls = (['mysql', 'postgres'] as const).map((engine) => databases.get(engine)?.url ?? '-');
    const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, folder, ...urls]);
    return JSON.parse(stdout) as { version: string; report: Record<string, string> };
  } finally {
    for (const database of databases.values()) await database.drop();
  }
}
