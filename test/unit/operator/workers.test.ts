import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../../src/index.js';
import { WorkerStore } from '../../../src/operator/worker.store.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { backlog, costOf, dialectOf } from '../queue/fixtures/cost.js';
import { connect } from '../schema/fixtures/queue.js';

const { START, WAITING } = TASK_STATUS;

describe.each(ENGINES)('who holds tasks, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let soon: string;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    await runTaskMigrations(dataSource);
    await backlog(dataSource, engine, 50, START);
    soon = { mysql: 'UTC_TIMESTAMP(3)', postgres: 'now()', sqlite: "strftime('%Y-%m-%d %H:%M:%f')" }[engine];
    await dataSource.query(`UPDATE tasks SET worker_id = 'w', lease_expires_at = ${soon} WHERE status = ${START}`);
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const delay = async (count: number): Promise<void> => {
    await backlog(dataSource, engine, count, WAITING);
    await dataSource.query(`UPDATE tasks SET run_at = ${soon} WHERE status = ${WAITING}`);
  };

  it('reads a bounded number of rows, however many tasks wait for their time', async () => {
    const store = new WorkerStore(dialectOf(engine), WAITING, 500);
    const look = async (): Promise<number> => {
      const { result, read } = await costOf(dataSource, engine, () => store.list(10));
      expect(result.map(({ workerId, running }) => [workerId, running])).toEqual([
        ['w', 25],
        ['w', 25],
      ]);
      return read;
    };
    await delay(1000);
    const before = await look();
    await delay(20_000);
    expect((await look()) / before).toBeLessThan(1.25);
  });
});
