import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { STATUS, TaskClient, TaskWorker } from '../../src/client/index.js';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { until } from '../support/until.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';
import { LossyProxy } from './fixtures/proxy.js';

const TASKS = 1000;

describe.each(ENGINES)('four TaskWorkers on a line that loses a tenth of the answers, on %s', (engine) => {
  let database: TestDatabase;
  let cluster: Cluster;
  let proxy: LossyProxy;
  beforeAll(async () => {
    database = await createDatabase(engine);
    cluster = await Cluster.start(database.url, [{}]);
    proxy = await LossyProxy.start(cluster.urls[0]!);
    proxy.loss = 0.1;
  });
  afterAll(async () => {
    proxy?.close();
    await cluster?.stop();
    await database?.drop();
  });

  it(`end each of ${TASKS} tasks once`, async () => {
    const baseUrl = proxy.url;
    // What creates them sits behind the same line.
    const user = new TaskClient({ baseUrl, token: await userToken(SECRET, 'alice'), retries: 20 });
    for (let batch = 0; batch < TASKS / 100; batch++)
      await user.createMany(Array.from({ length: 100 }, () => ({ input: 'x', status: STATUS.BEGIN })));
    const began = new Map<string, number>();
    const ends: string[] = [];
    const troubles: string[] = [];
    const workers = Array.from({ length: 4 }, () => {
      const worker = new TaskWorker({
        baseUrl,
        token: WORKER,
        concurrency: 10,
        lease: 30,
        wait: 1,
        handler: async ({ task, progress }) => {
          began.set(task.taskId, (began.get(task.taskId) ?? 0) + 1);
          progress(50, 'half');
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
          return task.taskId;
        },
      });
      worker.on('finished', ({ task }) => ends.push(task.taskId));
      for (const event of ['failed', 'lost', 'refused', 'released'] as const)
        worker.on(event, ({ task }) => troubles.push(`${event} ${task.taskId}`));
      return worker;
    });
    const runs = workers.map((worker) => worker.run());
    await until('all are done', () => ends.length + troubles.length >= TASKS, 120);
    await Promise.all(workers.map((worker) => worker.close()));
    await Promise.all(runs);
    // The line has lost some. How many is chance.
    expect(proxy.lost).toBeGreaterThan(10);
    expect(troubles).toEqual([]);
    expect(new Set(ends).size).toBe(TASKS);
    expect([...began.values()].filter((times) => times !== 1)).toEqual([]);
    proxy.loss = 0;
    const { list } = await user.list({ pageNum: TASKS });
    expect(list).toHaveLength(TASKS);
    const wrong = list.filter(
      ({ status, attempt, output, taskId }) => status !== 30 || attempt !== 1 || output !== taskId,
    );
    expect(wrong).toEqual([]);
  });
});
