import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';

export type Engine = 'sqlite' | 'mysql' | 'postgres';

/** Set by the global setup. */
const URLS = { mysql: process.env.TEST_MYSQL_URL!, postgres: process.env.TEST_POSTGRES_URL! };

/** Engines that the global setup found; SQLite is always there. */
export const ENGINES = (process.env.TASK_TEST_ENGINES ?? 'sqlite').split(',') as Engine[];

/** Tests of some engines only: those that were found, and skipped aloud where none was. */
export const describeOn = (...wanted: Engine[]) => {
  const found = wanted.filter((engine) => ENGINES.includes(engine));
  return found.length > 0 ? describe.each(found) : describe.skip.each(wanted);
};

/** A test of some engines, on all at once: for what waits more than it works. `has` says what else it needs. */
export function itAtOnceOn<E extends Engine>(wanted: E[], has: (engine: E) => boolean = () => true) {
  const found = wanted.filter((engine) => ENGINES.includes(engine) && has(engine));
  return found.length > 0 ? it.concurrent.each(found) : it.skip.each(wanted);
}

/** A database of this test file's own. */
export interface TestDatabase {
  engine: Engine;
  /** As DATABASE_URL takes it. */
  url: string;
  /** Fresh options for a DataSource on it. */
  options(): DataSourceOptions;
  drop(): Promise<void>;
}

let made = 0;

export async function createDatabase(engine: Engine): Promise<TestDatabase> {
  const name = `softdd_task_test_${process.pid}_${Date.now().toString(36)}_${++made}`;
  if (engine === 'sqlite') return sqliteDatabase();
  await administer(engine, `CREATE DATABASE ${name}`);
  const url = `${URLS[engine].replace(/\/+$/, '')}/${name}`;
  return {
    engine,
    url,
    options: () =>
      engine === 'mysql'
        ? { type: 'mysql', url, charset: 'utf8mb4', timezone: 'Z', poolSize: 8 }
        : { type: 'postgres', url, poolSize: 8 },
    drop: () => administer(engine, `DROP DATABASE ${name}${engine === 'postgres' ? ' WITH (FORCE)' : ''}`),
  };
}

function sqliteDatabase(): TestDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-'));
  const file = join(folder, 'test.sqlite');
  return {
    engine: 'sqlite',
    url: `sqlite:${file}`,
    options: () => ({
      type: 'better-sqlite3',
      driver: createRequire(import.meta.url)('libsql') as unknown,
      database: file,
      enableWAL: true,
    }),
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs a statement on the server, outside any test's database. */
export const administer = (engine: 'mysql' | 'postgres', sql: string): Promise<void> =>
  execute(engine, engine === 'mysql' ? URLS.mysql : `${URLS.postgres.replace(/\/+$/, '')}/postgres`, sql);

/** Runs a statement over a connection of its own. */
export async function execute(engine: 'mysql' | 'postgres', url: string, sql: string): Promise<void> {
  if (engine === 'mysql') {
    const connection = await createConnection(url);
    await connection.query(sql).finally(() => connection.end());
    return;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
