import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TaskWorker } from '../../src/client/index.js';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { dataOf } from '../support/answers.js';
import { call, type CallOptions } from '../support/http.js';
import { until } from '../support/until.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';
import { LossyProxy, type Mischief } from './fixtures/proxy.js';

describe.each(ENGINES)('answers lost on the wire, on %s', (engine) => {
  let database: TestDatabase;
  let cluster: Cluster;
  let proxy: LossyProxy;
  let user: string;
  beforeAll(async () => {
    database = await createDatabase(engine);
    cluster = await Cluster.start(database.url, [{}]);
    proxy = await LossyProxy.start(cluster.urls[0]!);
    user = await userToken(SECRET, 'alice');
  });
  afterAll(async () => {
    proxy?.close();
    await cluster?.stop();
    await database?.drop();
  });

  const send = (token: string, method: string, path: string, options: CallOptions) =>
    call(method, proxy.url + path, {
      ...options,
      headers: { authorization: `Bearer ${token}`, connection: 'close', ...options.headers },
    });
  /** Sends once into the void, and again when the line is good. */
  async function twice(mischief: Mischief, token: string, method: string, path: string, options: CallOptions) {
    proxy.mischief = mischief;
    await expect(send(token, method, path, options)).rejects.toThrow();
    proxy.mischief = 'none';
    return send(token, method, path, options);
  }
  const all = async (): Promise<any[]> =>
    dataOf(await send(user, 'GET', '/api/tasks', { query: { pageNum: 1000 } })).list;

  it.each<Mischief>(['swallow', 'cut'])(
    'create, claim and end give the same when sent again (%s)',
    async (mischief) => {
      const before = (await all()).length;
      const key = { 'Idempotency-Key': randomUUID() };
      const create = { json: { input: 'in', status: 10 }, headers: key };
      const { taskId } = dataOf(await twice(mischief, user, 'POST', '/api/tasks', create));
      expect(dataOf(await send(user, 'POST', '/api/tasks', create)).taskId).toBe(taskId);
      expect(await all()).toHaveLength(before + 1);

      const claim = { json: { lease: 60, workerId: 'w' }, headers: { 'Idempotency-Key': randomUUID() } };
      const claimed = dataOf(await twice(mischief, WORKER, 'POST', '/api/crontask', claim));
      expect(claimed).toMatchObject({ task: { taskId }, attempt: 1 });
      const { leaseToken } = dataOf(await send(WORKER, 'POST', '/api/crontask', claim));
      expect(leaseToken).toBe(claimed.leaseToken);

      const report = { json: { status: 30, output: 'out', leaseToken } };
      const ended = dataOf(await twice(mischief, WORKER, 'PUT', `/api/crontask/${taskId}`, report));
      expect(ended.task).toMatchObject({ status: 30, output: 'out', attempt: 1 });
      expect(dataOf(await send(WORKER, 'PUT', `/api/crontask/${taskId}`, report))).toEqual(ended);
    },
  );

  it('a poll whose client alone was cut off takes no task from the poll that follows it', async () => {
    const handled: string[] = [];
    const worker = new TaskWorker({
      baseUrl: proxy.url,
      token: WORKER,
      service: 'deserted',
      wait: 6,
      handler: ({ task }) => {
        handled.push(task.taskId);
        return 'out';
      },
    });
    const running = worker.run();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    proxy.desert();
    // The worker polls again, under the same key, while the server holds the poll that nobody hears.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const json = { input: 'in', status: 10, service: 'deserted', maxAttempts: 1 };
    const { taskId } = dataOf(await send(user, 'POST', '/api/tasks', { json }));
    const seen = async () => dataOf(await send(user, 'GET', `/api/tasks/${taskId}`, {}));
    await until('it has ended', async () => (await seen()).finishedAt !== null);
    expect(await seen()).toMatchObject({ status: 30, output: 'out', attempt: 1 });
    expect(handled).toEqual([taskId]);
    await worker.close();
    await running;
  });

  it('a claim without a key whose client has gone is as if it had never been', async () => {
    const { taskId } = dataOf(await send(user, 'POST', '/api/tasks', { json: { input: 'in', status: 10 } }));
    proxy.mischief = 'cut';
    await expect(send(WORKER, 'GET', '/api/crontask', { query: { taskId, lease: 60 } })).rejects.toThrow();
    proxy.mischief = 'none';
    const seen = async () => dataOf(await send(user, 'GET', `/api/tasks/${taskId}`, {}));
    // Whether the line was cut before the claim, during it, or after it was answered is a matter of a millisecond.
    const again = await until('another worker has it', async () => {
      const data = dataOf(await send(WORKER, 'GET', '/api/crontask', { query: { taskId, lease: 60 } }));
      return data.task ?? ((await seen()).status === 20 ? 'answered too early' : undefined);
    });
    if (again !== 'answered too early') expect(await seen()).toMatchObject({ status: 20, attempt: 1 });
  });
});
