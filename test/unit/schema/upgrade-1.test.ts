import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations } from '../../../src/index.js';
import { createDatabase, describeOn, type TestDatabase } from '../../support/databases.js';
import { flood } from '../flow/fixtures/flood.js';
import { migrateInChild } from './fixtures/child.js';
import { connect, problemsOf, withQueue } from './fixtures/queue.js';
import { createRelease1 } from './fixtures/release-1.js';

const READY = 12_000;
const OWNERS = 300;
/** Statements of the migration that are killed at. Only some: chaos/migrations-killed has all of them. */
const KILLS = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23];

describeOn('mysql')('tables that release 1.0.0 has filled, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    await createRelease1(dataSource);
    await dataSource.query(flood(engine, { id: 'ready', service: 'x', count: READY, owners: OWNERS }));
    await dataSource.query(flood(engine, { id: 'ended', service: 'x', count: 3000, owners: OWNERS }));
    await dataSource.query(`UPDATE tasks SET status = 30 WHERE id LIKE 'ended-%'`);
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const count = async (from: string): Promise<number> =>
    Number((await dataSource.query(`SELECT COUNT(*) AS n FROM ${from}`))[0].n);

  /** The ready table has exactly the ready tasks, each with its owner; then owners take turns. */
  async function isWhole(ready = READY): Promise<void> {
    expect(await problemsOf(dataSource, { turns: true })).toEqual([]);
    const same = `r.service = t.service AND r.priority = t.priority AND r.created_at = t.created_at
      AND r.\`group\` <=> t.\`group\` AND r.user_id = t.user_id`;
    expect(await count(`tasks_ready r JOIN tasks t ON t.id = r.task_id AND t.status = 10 AND ${same}`)).toBe(ready);
    expect([await count('tasks_ready'), await count('tasks WHERE status = 10')]).toEqual([ready, ready]);
    expect(await count(`tasks WHERE id LIKE 'ended-%' AND status = 30`)).toBe(3000);
    await withQueue(dataSource, { services: { x: { fair: true } } }, async ({ service }) => {
      const taken = await service.claim({ service: 'x', limit: 100 });
      expect(new Set(taken.map(({ userId }) => userId)).size).toBe(100);
    });
  }

  it('are brought up to date, with the owner of each ready task', async () => {
    await runTaskMigrations(dataSource);
    await isWhole();
  });

  it('are used on by servers of that release meanwhile, which lose nothing', async () => {
    let isOver = false;
    let written = 0;
    const writer = async (): Promise<void> => {
      while (!isOver) {
        const id = `late-${String(written).padStart(6, '0')}`;
        await dataSource.query(
          `INSERT INTO tasks (id, user_id, service, status, input) VALUES ('${id}', 'late', 'x', 10, 'x')`,
        );
        written += 1;
      }
    };
    const writing = writer();
    try {
      await runTaskMigrations(dataSource);
    } finally {
      isOver = true;
      await writing;
    }
    expect(written).toBeGreaterThan(0);
    await isWhole(READY + written);
  });

  it('are brought up to date by the next start if one was killed', async () => {
    let kills = 0;
    for (const killAt of KILLS) {
      const { signal } = await migrateInChild(database.options(), { killAt }).ended;
      if (signal === 'SIGKILL') kills += 1;
      // The release before writes on.
      await dataSource.query(
        `INSERT INTO tasks (id, user_id, service, status, input) VALUES ('killed-${killAt}', 'late', 'x', 10, 'x')`,
      );
    }
    expect(kills).toBeGreaterThan(5);
    await runTaskMigrations(dataSource);
    await isWhole(READY + KILLS.length);
  });
});
