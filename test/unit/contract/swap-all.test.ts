import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SwaggerModule } from '@nestjs/swagger';
import { ADAPTERS, BATTERY, type Host, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { call } from '../../support/http.js';
import { EVERYTHING, forRootAsync, videoMigrations } from '../../support/swapped.js';

const CASES = [
  ...BATTERY.map((where) => ({ ...where, way: 'forRoot', register: undefined })),
  ...ADAPTERS.map((adapter) => ({ engine: 'sqlite' as const, adapter, way: 'forRootAsync', register: forRootAsync })),
];

describe.each(CASES)('a host with everything swapped by $way on $engine with $adapter', ({ register, ...where }) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, register, options: EVERYTHING, typeorm: videoMigrations() });
  });
  afterAll(() => host?.close());

  const alice = { headers: { 'x-key': 'open', 'x-owner': 'alice' } };
  const worker = { headers: { 'x-key': 'worker' } };
  const operator = { headers: { 'x-key': 'operator' } };

  it('runs a task through: own routes, column, statuses, envelope, guards and callback address', async () => {
    const json = { input: 'in', title: 'Film', status: 110 };
    const created = await call('POST', `${host.url}/api/videos/new`, { ...alice, json });
    expect(created.status).toBe(200);
    const { taskId } = created.body.result;
    expect(created.body).toMatchObject({
      ok: true,
      result: {
        taskId,
        service: 'transcode',
        status: 110,
        progress: 0,
        input: 'in',
        args: '',
        temp: '',
        output: '',
        title: 'Film',
        overridden: true,
      },
    });
    const edited = await call('PUT', `${host.url}/api/videos/${taskId}/edit`, { ...alice, form: { title: 'Movie' } });
    expect(edited.body.result).toMatchObject({ title: 'Movie', input: 'in' });
    const claimed = await call('GET', `${host.url}/jobs`, worker);
    expect(claimed.body.result).toMatchObject({
      task: { taskId, status: 120, title: 'Movie', callbackUrl: EVERYTHING.callbackUrl, claimedFrom: 'here' },
      updateUrl: EVERYTHING.callbackUrl,
    });
    const report = (form: Record<string, string>) =>
      call('PUT', `${host.url}/jobs/${taskId}/report`, { ...worker, form });
    expect((await report({ status: '125', progress: '90' })).body.result.task).toMatchObject({ status: 125 });
    expect((await report({ status: '130' })).body.result.task).toMatchObject({ status: 130, progress: 100 });
    const list = await call('GET', `${host.url}/api/videos`, alice);
    expect(list.body.result.list).toMatchObject([{ taskId, status: 130, title: 'Movie' }]);
    const removed = await call('DELETE', `${host.url}/api/videos/old`, { ...alice, json: { ids: [taskId] } });
    expect(removed.body.result).toEqual({ deleted: [taskId], notDeleted: [] });
  });

  it('lets its operators in by their guard, to handlers and answers of its own', async () => {
    const json = { input: 'in', title: 'Premiere', status: 110 };
    const created = await call('POST', `${host.url}/api/videos/new`, { ...alice, json });
    const { taskId } = created.body.result;
    const ask = async (path: string): Promise<any> =>
      (await call('GET', `${host.url}/ops${path}`, operator)).body.result;
    expect(await ask('/overview')).toMatchObject({ site: 'studio', workers: 0 });
    const shown = { taskId, title: 'Premiere', status: 110, userId: 'alice', owner: 'alice@studio' };
    expect(await ask(`/tasks/${taskId}`)).toMatchObject({ task: shown, attempts: [], reviewed: false });
    expect((await ask('/tasks')).list).toMatchObject([shown]);
    expect(await ask('/titles')).toEqual({ titles: ['Premiere'] });
    const change = (json: object) => call('PUT', `${host.url}/ops/tasks/${taskId}`, { ...operator, json });
    expect((await change({ status: -20 })).body.result).toMatchObject({ status: -20, owner: 'alice@studio' });
    expect((await change({ status: 10 })).body).toMatchObject({ ok: false, error: { code: 14004 } });
    const gone = await call('GET', `${host.url}/ops/tasks/nothing`, operator);
    expect([gone.status, gone.body]).toEqual([410, { ok: false, error: { code: 1, msg: 'no such video' } }]);
    for (const path of ['/overview', '/titles'])
      expect((await call('GET', `${host.url}/ops${path}`, alice)).body).toMatchObject({
        ok: false,
        error: { code: 14002 },
      });
    const removed = await call('DELETE', `${host.url}/ops/tasks`, { ...operator, json: { ids: [taskId] } });
    expect(removed.body.result).toEqual({ deleted: [taskId], notDeleted: [] });
  });

  it('has schedules of its own form, whose task has the columns of the host', async () => {
    const set = (json: object) => call('PUT', `${host.url}/api/plans/daily`, { ...alice, json });
    const made = await set({ cron: '@daily', task: { input: 'in', title: 'Film' } });
    expect(made.body).toMatchObject({
      ok: true,
      result: { key: 'daily', plan: 'alice/daily', task: { title: 'Film' } },
    });
    const long = await set({ cron: '@daily', task: { input: 'in', title: 'x'.repeat(101) } });
    expect(long.body.error.detail).toMatchObject([{ field: 'task.title', rule: 'maxLength' }]);
    const misspelt = await set({ cron: '@daily', task: { input: 'in', titel: 'Film' } });
    expect(misspelt.body.error.detail[0].msg).toMatch(/did you mean title/);
    expect((await call('GET', `${host.url}/api/plan-count`, alice)).body.result).toEqual({ count: 1 });
    const ran = await call('POST', `${host.url}/api/plans/daily/run`, alice);
    expect(ran.body.result).toMatchObject({ title: 'Film', status: 110, scheduleKey: 'daily' });
    const owner = { ...operator, json: { userId: 'alice' } };
    const again = await call('POST', `${host.url}/ops/schedules/daily/run`, owner);
    expect(again.body.result).toMatchObject({ title: 'Film', owner: 'alice@studio' });
    expect((await call('DELETE', `${host.url}/api/plans/daily`, alice)).body.result).toEqual({ key: 'daily' });
  });

  it('has batches of its own form, whose tasks have the columns of the host', async () => {
    const post = (path: string, json: object) => call('POST', `${host.url}/api/reels${path}`, { ...alice, json });
    const made = await post('', { tasks: [{ input: 'in', title: 'Part' }], then: { input: 'all', title: 'Film' } });
    const { batchId, taskIds } = made.body.result;
    expect(made.body).toMatchObject({ ok: true, result: { total: 1, reel: `alice/${batchId}` } });
    const shown = async (taskId: string) => (await call('GET', `${host.url}/api/videos/${taskId}`, alice)).body.result;
    expect(await shown(taskIds[0])).toMatchObject({ title: 'Part', status: 110, batchId });
    const long = await post('', { tasks: [{ input: 'in', title: 'x'.repeat(101) }] });
    expect(long.body.error.detail).toMatchObject([{ field: 'tasks[0].title', rule: 'maxLength' }]);
    const change = { ...alice, json: { status: -20 } };
    expect((await call('PUT', `${host.url}/api/reels/${batchId}`, change)).body.result.sealed).toBe(true);
    const ended = await until('its end', async () => {
      const { result } = (await call('GET', `${host.url}/api/reels/${batchId}`, alice)).body;
      return result.endedAt ? result : undefined;
    });
    expect(ended).toMatchObject({ state: 'cancelled', reel: `alice/${batchId}` });
    expect(await shown(ended.thenTaskId)).toMatchObject({ title: 'Film', status: 110, input: 'all' });
  });

  it('answers failures by its own catalogue, entries of its own included', async () => {
    const gone = await call('GET', `${host.url}/api/videos/nothing`, alice);
    expect(gone.status).toBe(410);
    expect(gone.headers.get('x-gone')).toBe('yes');
    expect(gone.body).toEqual({ ok: false, error: { code: 1, msg: 'no such video' } });
    const banned = await call('POST', `${host.url}/api/videos/new`, { ...alice, json: { input: '', title: 'banned' } });
    expect(banned.status).toBe(451);
    expect(banned.body.error).toEqual({ code: 20001, msg: 'banned', detail: { title: 'banned' } });
    const long = await call('POST', `${host.url}/api/videos/new`, {
      ...alice,
      json: { input: '', title: 'x'.repeat(101) },
    });
    expect(long.status).toBe(400);
    expect(long.body.error).toMatchObject({ code: 14004, detail: [{ field: 'title', rule: 'maxLength' }] });
    const shut = await call('GET', `${host.url}/jobs`, alice);
    expect(shut.body).toMatchObject({ ok: false, error: { code: 14002 } });
  });

  it('is documented as it is', () => {
    const document = SwaggerModule.createDocument(host.app, { openapi: '3.0.0', info: { title: '', version: '' } });
    const paths = Object.keys(document.paths);
    // Those of operators are moved together, by one option.
    expect(paths).toEqual(expect.arrayContaining(['/ops/overview', '/ops/tasks/{taskId}', '/ops/titles']));
    expect(paths.filter((path) => !path.startsWith('/ops/')).sort()).toEqual([
      '/api/plan-count',
      '/api/plans',
      '/api/plans/{key}',
      '/api/plans/{key}/pause',
      '/api/plans/{key}/resume',
      '/api/plans/{key}/run',
      '/api/reels',
      '/api/reels/{batchId}',
      '/api/reels/{batchId}/layers',
      '/api/reels/{batchId}/tasks',
      '/api/tasks/stats',
      '/api/videos',
      '/api/videos/bulk',
      '/api/videos/bulk/{bulkId}',
      '/api/videos/events',
      '/api/videos/list',
      '/api/videos/new',
      '/api/videos/old',
      '/api/videos/{taskId}',
      '/api/videos/{taskId}/edit',
      '/jobs',
      '/jobs/{taskId}/report',
    ]);
    const schemas = document.components!.schemas as Record<string, { properties: Record<string, object> }>;
    for (const name of ['task', 'workerTask', 'createTask', 'updateTask'])
      expect(schemas[name]!.properties.title).toMatchObject({ type: 'string', description: 'Title of the video.' });
    const responses = document.paths['/api/videos/{taskId}']!.get!.responses as Record<string, unknown>;
    expect(Object.keys(responses)).toContain('410');
    expect(responses['200']).toMatchObject({
      content: { 'application/json': { schema: { required: ['ok', 'result'] } } },
    });
  });
});
