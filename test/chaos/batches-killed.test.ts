import { afterAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type Batch, type BatchTask, TaskClient } from '../../src/client/index.js';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { freePort } from '../support/free-port.js';
import { newFolder, type RunningServer, startServer } from '../support/server.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const WORKER = 'a-worker-token-of-ours';
/** The long form: TEST_CHAOS_BATCHES=200, each of 100 tasks. */
const BATCHES = Number(process.env.TEST_CHAOS_BATCHES ?? 12);
const TASKS = process.env.TEST_CHAOS_BATCHES ? 100 : 25;
const WORKERS = 6;
/** The short form kills few times: a server takes seconds to start. */
const KILLS = process.env.TEST_CHAOS_BATCHES ? Infinity : 3;
/** Milliseconds between two kills. */
const KILL = 2000;

describe.each(ENGINES)('batches while servers are killed (%s)', (engine) => {
  let database: TestDatabase;
  const servers: RunningServer[] = [];
  let isOver = false;
  afterAll(async () => {
    isOver = true;
    await Promise.all(servers.map((server) => server.stop('SIGKILL')));
    await database?.drop();
  });

  it('end each exactly once', async () => {
    database = await createDatabase(engine);
    // SQLite serves one process.
    const ports = await Promise.all(Array.from({ length: engine === 'sqlite' ? 1 : 2 }, () => freePort()));
    const folder = newFolder();
    const start = (port: number): Promise<RunningServer> =>
      startServer(
        {
          DATABASE_URL: database.url,
          PORT: String(port),
          TASK_JWT_SECRET: SECRET,
          TASK_WORKER_TOKENS: WORKER,
          TASK_CALLBACK_URL: 'http://127.0.0.1:9/',
          TASK_DISPATCH_CALLBACKS: 'false',
        },
        folder,
      );
    for (const port of ports) servers.push(await start(port));
    const token = await userToken(SECRET, 'alice');
    const clientOf = (index: number, bearer: string): TaskClient =>
      new TaskClient({ baseUrl: `http://127.0.0.1:${ports[index % ports.length]}`, token: bearer, retries: 1000 });
    const users = ports.map((_, index) => clientOf(index, token));

    let kills = 0;
    const killing = (async () => {
      for (let turn = 0; !isOver && turn < KILLS; turn++) {
        await new Promise((resolve) => setTimeout(resolve, KILL));
        if (isOver) return;
        const index = turn % ports.length;
        await servers[index]!.stop('SIGKILL');
        kills += 1;
        servers[index] = await start(ports[index]!);
      }
    })();
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
    while (ids.length < BATCHES || kills === 0) {
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
    await Promise.all(servers.map((server) => server.stop()));
    // A third of the batches has a failed task, and its dependent fails with it.
    for (const [index, { total, counts, state }] of ended.entries()) {
      const failed = index % 3 === 0 ? 2 : 0;
      expect([total, counts]).toEqual([TASKS, expect.objectContaining({ finished: TASKS - failed, failed })]);
      expect(state).toBe(failed > 0 ? 'failed' : 'finished');
    }
    await expectOnce(ids);
    console.log(`${engine}: ${ids.length} batches of ${TASKS}, ${kills} kills: each ended once`);
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
