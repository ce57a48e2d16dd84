import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { userToken } from '../../../src/server/secrets.js';
import { createDatabase, describeOn, type TestDatabase } from '../../support/databases.js';
import { type Answer, call } from '../../support/http.js';
import { type ServerHere, serveHere } from '../../support/server-here.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const WORKER = 'a-worker-token-of-ours';

describeOn('mysql', 'postgres')('while the database is gone (%s)', (engine) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let server: ServerHere;
  let taskId: string;

  beforeAll(async () => {
    database = await createDatabase(engine);
    proxy = await TcpProxy.start(database.url);
    server = await serveHere({ DATABASE_URL: proxy.url, TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER });
    taskId = (await user('POST', '/api/tasks', { input: 'before' })).body.data.taskId;
  });
  afterAll(async () => {
    await server?.stop();
    proxy?.cut();
    await database?.drop();
  });

  const user = async (method: string, path: string, json?: unknown): Promise<Answer> =>
    call(method, server.url + path, {
      json,
      headers: { authorization: `Bearer ${await userToken(SECRET, 'alice')}` },
    });
  const worker = (method: string, path: string, json?: unknown): Promise<Answer> =>
    call(method, server.url + path, { json, headers: { authorization: `Bearer ${WORKER}` } });
  const everyRoute = (): Promise<Answer[]> =>
    Promise.all([
      user('POST', '/api/tasks', { input: 'x', status: 10 }),
      user('GET', '/api/tasks'),
      user('GET', `/api/tasks/${taskId}`),
      user('PUT', `/api/tasks/${taskId}`, { args: 'x' }),
      user('DELETE', '/api/tasks', { ids: ['018f0000-0000-7000-8000-000000000000'] }),
      worker('GET', '/api/crontask'),
      worker('PUT', '/api/crontask/018f0000-0000-7000-8000-000000000000', { progress: 1 }),
    ]);
  const health = async (): Promise<number[]> => [
    (await call('GET', `${server.url}/health/live`)).status,
    (await call('GET', `${server.url}/health/ready`)).status,
  ];

  it('is ready before', async () => expect(await health()).toEqual([200, 200]));

  it('answers 503 to what was under way, never 500', async () => {
    const underWay = Promise.all(Array.from({ length: 100 }, () => user('POST', '/api/tasks', { input: 'storm' })));
    await user('GET', '/api/tasks');
    proxy.cut();
    const statuses = new Set((await underWay).map((answer) => answer.status));
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });

  it('is alive, but not ready, and says why', async () => {
    expect(await health()).toEqual([200, 503]);
    const { body, text } = await call('GET', `${server.url}/health/ready`);
    expect(body.error).toEqual({
      database: {
        status: 'down',
        message: expect.stringMatching(/^(takes no writes of the queue now|the database did not answer within)/),
      },
      schema: { status: 'down', message: 'unknown, because the database does not answer' },
    });
    expect(body.info).toEqual({ process: { status: 'up' } });
    const { password, hostname, port } = new URL(proxy.url);
    for (const secret of [password, hostname, port].filter((each) => each !== '')) expect(text).not.toContain(secret);
  });

  it('answers 503/14011 with Retry-After on every route', async () => {
    for (const answer of await everyRoute()) {
      expect([answer.status, answer.body]).toEqual([
        503,
        { status: 0, data: { code: 14011, msg: 'temporarily unavailable' } },
      ]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('comes back by itself', async () => {
    await proxy.mend();
    await until('ready again', async () => (await call('GET', `${server.url}/health/ready`)).status === 200);
    expect((await everyRoute()).map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200, 200, 404]);
    expect((await user('GET', `/api/tasks/${taskId}`)).body.data).toMatchObject({ input: 'before', args: 'x' });
  });
});
