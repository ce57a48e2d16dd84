import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OperatorAction, TASK_ERRORS, TASK_STATUS } from '../../../src/index.js';
import { VERSION } from '../../../src/protocol/version.js';
import { type Answer, call, type CallOptions } from '../../support/http.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { samplesIn } from '../../unit/metrics/fixtures/exposition.js';

const { INVALID_ACCESS, INVALID_TOKEN, INVALID_PARAM, INVALID_STATE, NOT_FOUND } = TASK_ERRORS;
const { BEGIN, ERROR, CANCELLED } = TASK_STATUS;
const ALL = 'operator-token-of-ours-0123';
const READ = 'operator-token-that-reads-0';
/** Nobody listens there. */
const DEAF = 'http://127.0.0.1:9';

describe.each(BATTERY)('the routes for operators on $engine with $adapter', (where) => {
  let host: Host;
  let told: OperatorAction[];
  const ask = (method: string, path: string, options: CallOptions = {}, token = ALL): Promise<Answer> => {
    const headers = { authorization: `Bearer ${token}`, ...options.headers };
    return call(method, `${host.url}/api/operator${path}`, { ...options, headers });
  };
  const data = async (method: string, path: string, options?: CallOptions): Promise<any> => {
    const { status, body } = await ask(method, path, options);
    expect([status, body.status]).toEqual([200, 1]);
    return body.data;
  };
  const create = async (service: string, count = 1, userId = 'alice'): Promise<string[]> => {
    const tasks = Array.from({ length: count }, () => ({ userId, input: 'x', service, status: BEGIN }));
    return (await host.tasks.createMany(tasks)).map(({ taskId }) => taskId);
  };
  const fail = async (service: string): Promise<string> => {
    await create(service);
    const [claimed] = await host.tasks.claim({ service, workerId: 'gpu-1' });
    const report = { leaseToken: claimed!.leaseToken!, status: ERROR, error: 'out of memory' };
    return (await host.tasks.report(claimed!.taskId, report)).taskId;
  };

  beforeAll(async () => {
    told = [];
    host = await startHost({
      ...where,
      options: {
        operatorTokens: [ALL],
        operatorReadTokens: [READ],
        onOperator: (action) => void told.push(action),
        callbackUrl: DEAF,
        callbackRetry: { delays: [] },
      },
    });
  });
  afterAll(() => host?.close());

  it('are closed to users, workers and strangers', async () => {
    const { code } = INVALID_TOKEN;
    expect((await call('GET', `${host.url}/api/operator/tasks`)).body.data).toMatchObject({ code });
    expect((await host.user('alice', 'GET', '/api/operator/tasks')).body.data).toMatchObject({ code });
    expect((await host.worker('GET', '/api/operator/tasks')).body.data).toMatchObject({ code });
    expect((await ask('GET', '/tasks', {}, `${ALL}x`)).body.data).toMatchObject({ code });
  });

  it('show the metrics as Prometheus reads them, in no envelope', async () => {
    await create('measured', 2);
    const { status, headers, text } = await ask('GET', '/metrics');
    expect([status, headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/plain; version=0\.0\.4/),
    ]);
    const ready = samplesIn(text).find(
      ({ name, labels }) => name === 'softdd_task_created_total' && labels.service === 'measured',
    );
    expect(ready?.value).toBe(2);
    await ask('PUT', '/services/measured-and-paused', { json: { paused: true } });
    const paused = await until('the gauge shows the pause', async () =>
      samplesIn((await ask('GET', '/metrics')).text).find(
        ({ name, labels }) => name === 'softdd_task_paused' && labels.service === 'measured-and-paused',
      ),
    );
    expect(paused.value).toBe(1);
    await data('PUT', '/services/measured-and-full', { json: { maxRunning: 1 } });
    await create('measured-and-full', 2);
    await host.tasks.claim({ service: 'measured-and-full', workerId: 'gpu-1' });
    const full = await until('the gauges show the limit', async () => {
      const found = samplesIn((await ask('GET', '/metrics')).text).filter(
        ({ labels, name }) => labels.service === 'measured-and-full' && /limited|max_running/.test(name),
      );
      return found.length === 2 && found.map(({ value, labels: { reason } }) => [value, reason]);
    });
    expect(full).toEqual(
      expect.arrayContaining([
        [1, 'limit'],
        [1, undefined],
      ]),
    );
    const head = await ask('HEAD', '/metrics');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('are all there to read for a token that reads, and closed where they change something', async () => {
    const [taskId] = await create('read-only');
    for (const path of [
      '/overview',
      '/stats',
      '/metrics',
      '/tasks',
      `/tasks/${taskId}`,
      '/services',
      '/callbacks',
      '/workers',
      '/bulk',
    ])
      expect([path, (await ask('GET', path, {}, READ)).status]).toEqual([path, 200]);
    expect((await ask('POST', '/tasks/list', { json: { ids: [taskId] } }, READ)).body.data.list).toHaveLength(1);
    const changes: [string, string, object][] = [
      ['PUT', `/tasks/${taskId}`, { status: CANCELLED }],
      ['DELETE', '/tasks', { ids: [taskId] }],
      ['POST', '/bulk', { action: 'cancel', all: true }],
      ['PUT', '/services/default', { paused: true }],
      ['POST', '/callbacks/replay', {}],
    ];
    for (const [method, path, json] of changes)
      expect((await ask(method, path, { json }, READ)).body.data).toMatchObject({ code: INVALID_ACCESS.code });
    expect(await host.tasks.get(taskId!)).toMatchObject({ status: BEGIN });
  });

  it('show what is in the queue and what happened, by service', async () => {
    await create('seen', 2);
    await fail('seen');
    const services = () => data('GET', '/overview').then((overview) => overview.services);
    const seen = await until('the counts are there', async () => {
      const found = (await services()).find(({ service }: any) => service === 'seen');
      return found?.last5m.failed === 1 ? found : undefined;
    });
    expect(seen).toMatchObject({
      ready: 2,
      running: 0,
      paused: false,
      atLeast: [],
      last60m: { created: 3, started: 1 },
    });
    expect(seen.last5m.runMs.mean).toBeGreaterThanOrEqual(0);
    const overview = await data('GET', '/overview');
    expect(overview.server).toEqual({
      version: VERSION,
      engine: where.engine,
      engineVersion: expect.stringMatching(/^\d/),
    });
    expect(overview.callbacks).toMatchObject({ pending: expect.any(Number), dead: expect.any(Number) });
    const { points, step } = await data('GET', '/stats', { query: { service: 'seen' } });
    expect([step, points.length >= 60]).toEqual([60, true]);
    expect(points.reduce((sum: number, point: any) => sum + point.created, 0)).toBe(3);
    const wrong = await ask('GET', '/stats', { query: { step: 61 } });
    expect(wrong.body.data).toMatchObject({ code: INVALID_PARAM.code, detail: [{ field: 'step' }] });
  });

  it('search tasks of all owners by query and by body, and show one whole', async () => {
    const taskId = await fail('searched');
    const found = await data('GET', '/tasks', { query: { service: 'searched', status: ERROR, error: 'out of' } });
    expect(found.list).toMatchObject([{ taskId, userId: 'alice', workerId: 'gpu-1', error: 'out of memory' }]);
    expect([found.nextCursor, found.searchedTo]).toEqual([null, null]);
    const { list } = await data('POST', '/tasks/list', { json: { ids: [taskId, 'nothing'] } });
    expect(list.map((task: any) => task.taskId)).toEqual([taskId]);
    const detail = await data('GET', `/tasks/${taskId}`);
    expect(detail.attempts).toMatchObject([
      { attempt: 1, workerId: 'gpu-1', outcome: 'failed', error: 'out of memory' },
    ]);
    expect(detail).toMatchObject({ task: { taskId, userId: 'alice' }, callbacks: [{ taskId, type: 'task.failed' }] });
    expect((await ask('GET', '/tasks/nothing')).body.data).toMatchObject({ code: NOT_FOUND.code });
    const wrong = await ask('GET', '/tasks', { query: { createdFrom: 'yesterday' } });
    expect(wrong.body.data).toMatchObject({ code: INVALID_PARAM.code, detail: [{ field: 'createdFrom' }] });
  });

  it('run a task again, cancel it, change its priority, and delete it', async () => {
    const taskId = await fail('changed');
    const path = `/tasks/${taskId}`;
    expect(await data('PUT', path, { json: { status: BEGIN, priority: -5 } })).toMatchObject({
      status: BEGIN,
      priority: -5,
    });
    expect(await data('PUT', path, { json: { status: CANCELLED } })).toMatchObject({ status: CANCELLED });
    const refused = await ask('PUT', path, { json: { priority: 1 } });
    expect(refused.body.data).toMatchObject({ code: INVALID_STATE.code });
    expect(await data('DELETE', '/tasks', { json: { ids: [taskId] } })).toEqual({ deleted: [taskId], notDeleted: [] });
  });

  it('claim by a changed priority at once', async () => {
    const [first, second] = await create('priorities', 2);
    await data('PUT', `/tasks/${second}`, { json: { priority: -1 } });
    const claimed = await host.tasks.claim({ service: 'priorities', limit: 2 });
    expect(claimed.map(({ taskId }) => taskId)).toEqual([second, first]);
  });

  it('change many tasks, after a count', async () => {
    await create('bulky', 120);
    const request = { action: 'cancel', filter: { service: 'bulky' } };
    expect(await data('POST', '/bulk', { json: { ...request, dryRun: true } })).toEqual({ count: 120, isExact: true });
    const { bulkId } = await data('POST', '/bulk', { json: request });
    const bulk = await until('the end', async () => {
      const state = await data('GET', `/bulk/${bulkId}`);
      return state.state === 'done' ? state : undefined;
    });
    expect(bulk).toMatchObject({ action: 'cancel', matched: 120, done: 120, failed: 0, userId: null });
    expect(bulk.requestedBy).toMatch(/^token [0-9a-f]{8}$/);
    expect((await data('GET', '/bulk')).list[0]).toMatchObject({ bulkId });
    expect(await data('PUT', `/bulk/${bulkId}`, { json: { abort: true } })).toMatchObject({ state: 'done' });
    const misspelt = await ask('POST', '/bulk', { json: { action: 'delete', filter: { servise: 'bulky' } } });
    expect(misspelt.body.data).toMatchObject({ code: INVALID_PARAM.code, detail: [{ field: 'filter.servise' }] });
    const empty = await ask('POST', '/bulk', { json: { action: 'delete' } });
    expect(empty.body.data).toMatchObject({ code: INVALID_PARAM.code, detail: [{ field: 'filter' }] });
  });

  it('pause a service, with a name that a path must quote', async () => {
    const service = 'video/4k ü';
    const path = `/services/${encodeURIComponent(service)}`;
    await create(service);
    expect(await data('PUT', path, { json: { paused: true, note: 'maintenance' } })).toMatchObject({
      service,
      paused: true,
      note: 'maintenance',
    });
    expect(await host.tasks.claim({ service })).toEqual([]);
    expect((await data('GET', '/services')).list).toContainEqual(expect.objectContaining({ service, paused: true }));
    expect(await data('PUT', path, { json: { paused: false, note: '' } })).toMatchObject({
      paused: false,
      note: null,
    });
    expect(await host.tasks.claim({ service })).toHaveLength(1);
  });

  it('show who holds what', async () => {
    await create('held', 2);
    await host.tasks.claim({ service: 'held', workerId: 'holder', limit: 2 });
    const { list } = await data('GET', '/workers');
    const [load] = list.filter(({ workerId }: any) => workerId === 'holder');
    expect(load).toMatchObject({ service: 'held', running: 2 });
    for (const field of ['since', 'lastHeard', 'leaseExpiresAt']) expect(Date.parse(load[field])).not.toBeNaN();
  });

  it('list dead callbacks and deliver them again', async () => {
    const taskId = await fail('notified');
    const dead = () => data('GET', '/callbacks', { query: { taskId, state: 'dead', origin: DEAF } });
    const { list } = await until('the callback is dead', async () => {
      const found = await dead();
      return found.list.length === 1 ? found : undefined;
    });
    expect(await data('POST', `/callbacks/${list[0].id}/replay`)).toMatchObject({ id: list[0].id, taskId });
    await until('it is dead again', async () => (await dead()).list.length === 1);
    expect(await data('POST', '/callbacks/replay', { json: { taskId } })).toEqual({ replayed: 1, isPartial: false });
    const other = { query: { origin: 'https://example.com' } };
    expect((await data('GET', '/callbacks', other)).list).toEqual([]);
    const wrong = await ask('GET', '/callbacks', { query: { origin: 'example.com' } });
    expect(wrong.body.data).toMatchObject({ code: INVALID_PARAM.code, detail: [{ field: 'origin' }] });
  });

  it('tell of each action', async () => {
    const [taskId] = await create('audited');
    const heard: object[] = [];
    const stop = host.tasks.operator.onAction((action) => void heard.push(action));
    await data('PUT', `/tasks/${taskId}`, { json: { status: CANCELLED } });
    stop();
    expect(heard).toEqual([
      { action: 'change', by: expect.stringMatching(/^token /), count: 1, detail: { taskId, status: CANCELLED } },
    ]);
    expect(told).toContainEqual(heard[0]);
    await data('DELETE', '/tasks', { json: { ids: [taskId] } });
    expect(told.at(-1)).toMatchObject({ action: 'delete', count: 1, detail: { ids: [taskId] } });
    expect(heard).toHaveLength(1);
  });

  it('let users change many of their own tasks', async () => {
    await create('own', 3, 'ursula');
    await create('own', 2, 'victor');
    const request = { json: { action: 'cancel', filter: { service: 'own' } } };
    const counted = await host.user('ursula', 'POST', '/api/tasks/bulk', { json: { ...request.json, dryRun: true } });
    expect(counted.body.data).toEqual({ count: 3, isExact: true });
    const { body } = await host.user('ursula', 'POST', '/api/tasks/bulk', request);
    const path = `/api/tasks/bulk/${body.data.bulkId}`;
    await until('the end', async () => (await host.user('ursula', 'GET', path)).body.data.state === 'done');
    expect((await host.user('victor', 'GET', path)).status).toBe(NOT_FOUND.httpCode);
    expect((await host.user('ursula', 'PUT', path, { json: { abort: true } })).body.data).toMatchObject({ done: 3 });
    const { list } = await data('GET', '/tasks', { query: { service: 'own', status: CANCELLED } });
    expect(list.map((task: any) => task.userId)).toEqual(['ursula', 'ursula', 'ursula']);
    const others = { json: { action: 'cancel', filter: { userId: 'victor' } } };
    const refused = await host.user('ursula', 'POST', '/api/tasks/bulk', others);
    expect(refused.body.data).toMatchObject({ code: INVALID_PARAM.code, detail: [{ field: 'filter.userId' }] });
  });
});

describe('operators of a host', () => {
  const [where] = BATTERY;
  const startWith = (options: object): Promise<Host> => startHost({ ...where!, options });
  const status = async (host: Host, method = 'GET', path = '/api/operator/tasks'): Promise<number> =>
    (await call(method, host.url + path, { headers: { 'x-user': 'olga' }, ...(method === 'PUT' ? { json: {} } : {}) }))
      .status;

  it('are refused without tokens and guards, and let in by guards of the host', async () => {
    const closed = await startWith({});
    expect(await status(closed)).toBe(INVALID_TOKEN.httpCode);
    await closed.close();
    const open = await startWith({ operatorGuards: [] });
    expect(await status(open)).toBe(200);
    await open.close();
  });

  it('may do what operatorAccess says', async () => {
    const access: Record<string, 'all' | 'read' | undefined> = { olga: 'read', otto: 'all' };
    const host = await startWith({
      operatorGuards: [],
      operatorAccess: ({ headers }: any) => access[headers['x-user']],
    });
    const as = async (user: string, method: string): Promise<number> =>
      (await call(method, `${host.url}/api/operator/services/x`, { headers: { 'x-user': user }, json: {} })).status;
    expect(await status(host)).toBe(200);
    expect(await as('olga', 'PUT')).toBe(INVALID_ACCESS.httpCode);
    expect(await as('otto', 'PUT')).toBe(200);
    expect(await as('ida', 'PUT')).toBe(INVALID_ACCESS.httpCode);
    await host.close();
  });
});
