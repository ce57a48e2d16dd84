import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, taskMigrations } from '../../../src/index.js';
import { SIDE_TABLES } from '../../../src/schema/releases.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { dumpSchema } from './fixtures/dump.js';
import { createOriginal, insertLikePhp, ROWS, snapshot } from './fixtures/original.js';
import { claimAll, connect, problemsOf, withQueue } from './fixtures/queue.js';

describe.each(ENGINES)('down on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database, { migrations: taskMigrations() });
  });
  afterEach(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const undoAll = async (): Promise<void> => {
    for (let left = taskMigrations().length; left > 0; left--) await dataSource.undoLastMigration();
  };
  const names = async (): Promise<string[]> =>
    (await dumpSchema(dataSource, engine, 'tasks')).columns.map((line) => line.split(' ')[0]!);

  it('takes a table away that the migration made, and up makes it again', async () => {
    await dataSource.runMigrations();
    const fresh = await dumpSchema(dataSource, engine, 'tasks');
    await undoAll();
    expect(await names()).toEqual([]);
    for (const table of ['ready', ...SIDE_TABLES.map(({ suffix }) => suffix)].map((suffix) => `tasks_${suffix}`))
      expect((await dumpSchema(dataSource, engine, table)).columns).toEqual([]);
    await dataSource.runMigrations();
    expect(await dumpSchema(dataSource, engine, 'tasks')).toEqual(fresh);
  });

  it('takes from an adopted table what was added, and neither itself nor a row', async () => {
    await createOriginal(dataSource, engine);
    const original = await names();
    await runTaskMigrations(dataSource);
    const adopted = await dumpSchema(dataSource, engine, 'tasks');
    await undoAll();
    expect(await names()).toEqual(original);
    expect(await snapshot(dataSource, engine)).toEqual(ROWS);
    const { indexes, triggers } = await dumpSchema(dataSource, engine, 'tasks');
    expect([indexes.length, triggers]).toEqual([1, []]);
    await insertLikePhp(dataSource, engine, {
      ...ROWS[1]!,
      id: '10000000-bbfd-4b2d-9b5d-ab8dfbbd4bed',
      input: 'between',
    });
    await runTaskMigrations(dataSource);
    expect(await dumpSchema(dataSource, engine, 'tasks')).toEqual(adopted);
    await withQueue(dataSource, {}, async (queue) =>
      expect((await claimAll(queue)).toSorted()).toEqual([ROWS[1]!.input, 'between', 'oldest'].toSorted()),
    );
  });

  it("leaves a host's own group and what is in it", async () => {
    await createOriginal(dataSource, engine, { changed: true });
    const group = engine === 'mysql' ? '`group`' : '"group"';
    await dataSource.query(`UPDATE tasks SET ${group} = 'ours'`);
    const original = await names();
    await runTaskMigrations(dataSource);
    await undoAll();
    expect(await names()).toEqual(original);
    expect(await dataSource.query(`SELECT DISTINCT ${group} AS g FROM tasks`)).toEqual([{ g: 'ours' }]);
    expect(await snapshot(dataSource, engine)).toEqual(ROWS);
  });

  it('knows the columns that it added, in a table that has the name of one of them', async () => {
    await createOriginal(dataSource, engine, { table: 'error' });
    const columns = async () =>
      (await dumpSchema(dataSource, engine, 'error')).columns.map((line) => line.split(' ')[0]);
    const original = await columns();
    await runTaskMigrations(dataSource, { table: 'error' });
    const runner = dataSource.createQueryRunner();
    for (const Migration of taskMigrations({ table: 'error' }).toReversed()) await new Migration().down(runner);
    await runner.release();
    expect(await columns()).toEqual(original);
  });

  it('touches no table beside its own', async () => {
    await runTaskMigrations(dataSource, { table: 'tasks_video' });
    await dataSource.runMigrations();
    await undoAll();
    expect(await names()).toEqual([]);
    expect(await problemsOf(dataSource, { table: 'tasks_video' })).toEqual([]);
  });
});
