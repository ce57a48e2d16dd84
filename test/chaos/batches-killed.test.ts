import { afterAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type Batch, type BatchTask, TaskClient } from '../../src/client/index.js';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { WHOLE } from '../support/host.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';

/** The whole storm: TEST_MATRIX=all, or TEST_CHAOS_BATCHES for another number of batches. */
const IS_WHOLE = WHOLE || process.env.TEST_CHAOS_BATCHES !== undefined;
const BATCHES = Number(process.env.TEST_CHAOS_BATCHES ?? (WHOLE ? 200 : 12));
const TASKS = IS_WHOLE ? 100 : 25;
const WORKERS = 6;
/** The short form kills few times: a server takes seconds to start. */
const KILLS = IS_WHOLE ? Infinity : 3;
/** Seconds between two kills. */
const KILL = 2;

describe.each(ENGINES)('batches while servers are killed (%s)', (engine) => {
  let database: TestDatabase;
  let cluster: Cluster;
  let isOver = false;
  afterAll(async () => {
    isOver = true;
    await cluster?.stop();
    await database?.drop();
  });

  it('end each exactly once', async () => {
    database = await createDatabase(engine);
    const environment = { TASK_CALLBACK_URL: 'http://127.0.0.1:9/', TASK_DISPATCH_CALLBACKS: 'false' };
    // SQLite serves one process.
    const servers = Array.from({ length: engine === 'sqlite' ? 1 : 3 }, () => environment);
    cluster = await Cluster.start(database.url, servers);
    const token = await userToken(SECRET, 'alice');
    const { urls } = cluster;
    const clientOf = (index: number, bearer: string): TaskClient =>
      new TaskClient({ baseUrl: urls[index % urls.length]!, token: bearer, retries: 1000 });
    const users = urls.map((_, index) => clientOf(index, token));

    const startedAt = Date.now();
    const killing = cluster.killEach(KILL, () => isOver || cluster.killed >= KILLS);
    const workers = Array.from({ length: WORKERS }, async (_, index) => {
      const client = clientOf(index, WORKER);
      while (!isOver) {
        const claimed = await client.claim({ service: 'parts', limit: 20, wait: 1, lease: 5 }).catch(() => []);
        await Promise.all(
          claimed.map(({ leaseToken, task: { taskId, input } }) =>
            // 409: the lease was lost while the server was away, and another worker has the task.
            client.report(taskId, { leaseToken, status: input === 'fails' ? -10 : 30 }).catch(() => undefined),
          ),
        );
      }
    });

    const ids: string[] = [];
    const ended: Batch[] = [];
    // A fast machine ends them all before the first kill: there are more, until there was one.
    while (ids.length < BATCHES || cluster.killed === 0) {
      const first = ids.length;
      const some = await Promise.all(
        Array.from({ length: BATCHES }, async (_, place) => {
          const { batchId } = await users[place % users.length]!.batches.create({
            tasks: tasksOf(first + place),
            then: { input: '{{batchId}}', service: 'then' },
          });
          return batchId;
        }),
      );
      ids.push(...some);
      ended.push(...(await Promise.all(some.map((id, place) => users[place % users.length]!.batches.wait(id)))));
    }
    expect(new Set(ids).size).toBe(ids.length);
    isOver = true;
    await Promise.all([killing, ...workers]);
    // A third of the batches has a failed task, and its dependent fails with it.
    for (const [index, { total, counts, state }] of ended.entries()) {
      const failed = index % 3 === 0 ? 2 : 0;
      expect([total, counts]).toEqual([TASKS, expect.objectContaining({ finished: TASKS - failed, failed })]);
      expect(state).toBe(failed > 0 ? 'failed' : 'finished');
    }
    await expectOnce(ids);
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    process.stdout.write(
      `  batches on ${engine}: ${ids.length} of ${TASKS} tasks, ${cluster.killed} kills in ${seconds} s: each ended once\n`,
    );
  }, 580_000);

  /** The task and the notice of each end are in the database once. */
  async function expectOnce(ids: string[]): Promise<void> {
    const dataSource = await new DataSource({ ...database.options() }).initialize();
    try {
      const follows: { input: string }[] = await dataSource.query(`SELECT input FROM tasks WHERE service = 'then'`);
      expect(follows.map(({ input }) => input).sort()).toEqual([...ids].sort());
      const notices: { task_id: string }[] = await dataSource.query(
        `SELECT task_id FROM tasks_callbacks WHERE type = 'batch.finished'`,
      );
      expect(notices.map((notice) => notice.task_id).sort()).toEqual([...ids].sort());
      const left: unknown[] = await dataSource.query(
        `SELECT id FROM tasks WHERE service = 'parts' AND status NOT IN (30, -10)`,
      );
      expect(left).toEqual([]);
    } finally {
      await dataSource.destroy();
    }
  }
});

/** One task comes first, the last one waits for all; in a third of the batches one fails, and one waits for that. */
function tasksOf(index: number): BatchTask[] {
  const service = 'parts';
  const refs = Array.from({ length: TASKS - 1 }, (_, place) => `${place}`);
  const middle = refs.map((ref, place): BatchTask => ({
    ref,
    service,
    input: index % 3 === 0 && place === 1 ? 'fails' : ref,
    ...(place === 0 ? {} : { dependsOn: [place === 2 ? '1' : '0'] }),
  }));
  return [...middle, { service, input: 'last', dependsOn: refs, runOn: 'ended' }];
}
