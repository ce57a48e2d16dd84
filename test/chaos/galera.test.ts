import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userToken } from '../../src/server/secrets.js';
import { type Answer, call } from '../support/http.js';
import { Galera, hasGalera } from '../support/galera.js';
import { type RunningServer, startServer } from '../support/server.js';
import { until } from '../support/until.js';

const SECRET = 'a-secret-of-thirty-two-characters-or-more';
const WORKER = 'worker-token-0123456789';
const NODES = [0, 1, 2];

(hasGalera() ? describe : describe.skip)('a Galera cluster of three nodes', () => {
  let cluster: Galera;
  let servers: RunningServer[] = [];
  let alice: string;
  beforeAll(async () => {
    alice = await userToken(SECRET, 'alice');
    cluster = await Galera.create();
  }, 120_000);
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop('SIGKILL')));
    cluster?.drop();
  }, 30_000);

  const start = (node: number): Promise<RunningServer> =>
    startServer({ DATABASE_URL: cluster.url(node), TASK_WORKER_TOKENS: WORKER, TASK_JWT_SECRET: SECRET });
  const send = (node: number, token: string, method: string, path: string, json?: unknown): Promise<Answer> =>
    call(method, servers[node]!.url + path, {
      headers: { authorization: `Bearer ${token}` },
      ...(json ? { json } : {}),
    });
  const create = (node: number): Promise<Answer> =>
    send(node, alice, 'POST', '/api/tasks', { input: 'in', status: 10 });
  /** Claims on one node and reports on another. */
  const work = async (node: number): Promise<unknown> => {
    const { body } = await send(node, WORKER, 'GET', '/api/crontask?lease=60&wait=10');
    const { task, leaseToken } = body.data;
    const end = { status: 30, output: 'out', leaseToken };
    const ended = await send((node + 1) % 3, WORKER, 'PUT', `/api/crontask/${task.taskId}`, end);
    return [ended.status, task.taskId];
  };

  it('is migrated once by three servers that start at once on its three nodes', async () => {
    servers = await Promise.all(NODES.map(start));
    const [ledger] = await cluster.query(0, 'SELECT COUNT(*) n, COUNT(DISTINCT name) names FROM app.task_migrations');
    expect([ledger!.n, ledger!.n > 0]).toEqual([ledger!.names, true]);
    expect(await cluster.query(0, 'SELECT * FROM app.task_migrations_lock')).toEqual([]);
    const ids: unknown[] = [];
    for (const node of NODES) {
      const created = await create(node);
      expect([created.status, created.text]).toEqual([200, expect.anything()]);
      ids.push(created.body.data.taskId);
    }
    const ended = [await work(0), await work(1), await work(2)];
    expect(ended.sort()).toEqual(ids.map((id) => [200, id]).sort());
  }, 120_000);

  it("takes over the lock that a process on its own node, or nobody's renewal, left behind", async () => {
    for (const [node, expires] of [
      ["(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'wsrep_gcomm_uuid')", 3600],
      ["'another node'", -1],
    ]) {
      await cluster.query(1, 'DROP INDEX tasks_owner ON app.tasks');
      await cluster.query(
        1,
        `INSERT INTO app.task_migrations_lock VALUES (1, ${node}, 'gone', UTC_TIMESTAMP(3) + INTERVAL ${expires} SECOND)`,
      );
      await (await start(1)).stop();
      expect(await cluster.query(0, 'SELECT * FROM app.task_migrations_lock')).toEqual([]);
      expect(await cluster.query(0, "SHOW INDEX FROM app.tasks WHERE Key_name = 'tasks_owner'")).not.toEqual([]);
    }
  }, 60_000);

  it('answers 503 on a node without quorum, and works on after the others are back', async () => {
    const before = await create(0);
    expect(before.status).toBe(200);
    for (const node of [1, 2]) cluster.signal(node, 'SIGSTOP');
    try {
      await until('no quorum', async () => !(await cluster.isReady(0)));
      for (const answer of [
        await create(0),
        await send(0, alice, 'GET', '/api/tasks'),
        await send(0, WORKER, 'GET', '/api/crontask?lease=60'),
        await send(0, alice, 'PUT', `/api/tasks/${before.body.data.taskId}`, { status: -20 }),
      ])
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.anything()]);
      await until('not ready', async () => (await send(0, alice, 'GET', '/health/ready')).status === 503);
    } finally {
      for (const node of [1, 2]) cluster.signal(node, 'SIGCONT');
    }
    for (const node of NODES) await until(`node ${node} is back`, () => cluster.isReady(node));
    const after = await until('works again', async () => {
      const answer = await create(0);
      if (answer.status !== 503) expect(answer.status).toBe(200);
      return answer.status === 200 ? answer : undefined;
    });
    const ended = [await work(1), await work(2)];
    expect(ended.sort()).toEqual([before, after].map(({ body }) => [200, body.data.taskId]).sort());
    await until('ready', async () => (await send(0, alice, 'GET', '/health/ready')).status === 200);
  }, 150_000);
});
