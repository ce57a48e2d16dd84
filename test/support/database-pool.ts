import { afterAll } from '@jest/globals';
import { SIDE_TABLES } from '../../src/schema/releases.js';
import { createDatabase, type Engine, execute, type TestDatabase } from './databases.js';

/** Databases that tests have left behind, with their tables and without rows: making one takes longer than most tests. */
const free = new Map<Engine, TestDatabase[]>();

/** A database without rows; with the queue's tables, where a test of this file has used it before. */
export const borrowDatabase = async (engine: Engine): Promise<TestDatabase> =>
  free.get(engine)?.pop() ?? (await createDatabase(engine));

/** Its tables must be the queue's own, with default options. */
export async function giveBack(database: TestDatabase | undefined): Promise<void> {
  if (!database) return;
  // A new file is quickest on SQLite.
  const { engine, url } = database;
  if (engine === 'sqlite') return database.drop();
  for (const table of ['tasks', ...SIDE_TABLES.map(({ suffix }) => `tasks_${suffix}`)])
    await execute(engine, url, `DELETE FROM ${table}`);
  free.set(engine, [...(free.get(engine) ?? []), database]);
}

afterAll(async () => {
  const left = [...free.values()].flat();
  free.clear();
  await Promise.all(left.map((database) => database.drop()));
});
