import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const NIGHTLY = { cron: '30 2 * * *', timeZone: 'Europe/London', task: { input: 'report', service: 'reports' } };
const OPTIONS = { schedules: true, scheduleUri: '/api/schedules', maxSchedules: 3 };

describe.each(PLACES)('schedules over REST on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: OPTIONS });
  });
  afterAll(() => host?.close());

  const call = async (method: string, path: string, json?: object, user = 'alice') =>
    host.user(user, method, `/api/schedules${path}`, json ? { json } : {});
  const put = (key: string, json: object, user?: string) => call('PUT', `/${encodeURIComponent(key)}`, json, user);
  const problemOf = ({ status, body }: any) => {
    const [problem = {}] = [body.data.detail].flat();
    return [status, problem.field, problem.msg];
  };

  it('are created, shown with their next times, replaced, and deleted, by their owner alone', async () => {
    const made = await put('nightly', NIGHTLY);
    expect(made).toMatchObject({ status: 200, body: { status: 1, data: { key: 'nightly', ...NIGHTLY } } });
    const { data } = made.body;
    expect(data).toMatchObject({
      overlap: 'skip',
      catchUp: 'one',
      paused: false,
      state: 'active',
      last: null,
      runs: [],
    });
    expect(data).not.toHaveProperty('userId');
    expect(data.next).toHaveLength(5);
    expect(data.next.every((time: string) => /T0[12]:30:00\.000Z$/.test(time))).toBe(true);
    // The same again, with the names in another order, moves nothing.
    const { task, ...rest } = NIGHTLY;
    const again = await put('nightly', { task: { service: task.service, input: task.input }, ...rest });
    expect(again.body.data).toEqual(data);
    expect((await call('GET', '/nightly')).body.data).toEqual(data);
    expect((await call('GET', '')).body.data).toEqual({ list: [data], nextCursor: null });
    const moved = await put('nightly', { ...NIGHTLY, cron: '@daily', overlap: 'allow' });
    expect(moved.body.data).toMatchObject({ cron: '@daily', overlap: 'allow' });
    expect(moved.body.data.next[0]).not.toBe(data.next[0]);

    for (const [method, path] of [
      ['GET', '/nightly'],
      ['DELETE', '/nightly'],
      ['POST', '/nightly/pause'],
      ['POST', '/nightly/resume'],
      ['POST', '/nightly/run'],
    ] as const)
      expect((await call(method, path, undefined, 'bob')).status).toBe(404);
    expect((await call('GET', '', undefined, 'bob')).body.data.list).toEqual([]);
    expect((await host.user('', 'GET', '/api/schedules')).status).toBe(430);

    expect((await call('DELETE', '/nightly')).body.data).toEqual({ key: 'nightly' });
    expect((await call('DELETE', '/nightly')).status).toBe(404);
  });

  it('create tasks, are paused and resumed, and run now', async () => {
    const soon = { every: 3600, startAt: new Date(Date.now() + 1500).toISOString(), task: { input: 'x', priority: 7 } };
    await put('soon', soon);
    const shown = await until('its first task', async () => {
      const { data } = (await call('GET', '/soon')).body;
      return data.last ? data : undefined;
    });
    expect(shown.last.scheduledFor).toBe(soon.startAt);
    const task = (await host.user('alice', 'GET', `/api/tasks/${shown.last.taskId}`)).body.data;
    expect(task).toMatchObject({
      input: 'x',
      priority: 7,
      status: TASK_STATUS.BEGIN,
      scheduleKey: 'soon',
      scheduledFor: soon.startAt,
    });
    expect((await call('POST', '/soon/pause')).body.data).toMatchObject({ paused: true, state: 'paused', next: [] });
    expect((await call('GET', '?state=paused')).body.data.list.map(({ key }: any) => key)).toEqual(['soon']);
    expect((await call('GET', '?state=active')).body.data.list).toEqual([]);
    // A PUT that says nothing of it leaves the pause.
    expect((await put('soon', soon)).body.data.paused).toBe(true);
    const ran = (await call('POST', '/soon/run')).body.data;
    expect(ran).toMatchObject({ input: 'x', scheduleKey: 'soon', status: TASK_STATUS.BEGIN });
    const resumed = (await call('POST', '/soon/resume')).body.data;
    expect(resumed).toMatchObject({ paused: false, state: 'active' });
    expect(resumed.next).toHaveLength(5);
    const ended = { ...soon, endAt: new Date(Date.now() + 1000).toISOString() };
    expect((await put('soon', ended)).body.data).toMatchObject({ state: 'ended', next: [] });
    await call('DELETE', '/soon');
  });

  it('take forms, and keys of any text', async () => {
    const key = 'Bericht / täglich?';
    const form = { cron: '0 3 * * *', jitter: '5', paused: 'true', task: '{"input":"x"}' };
    for (const options of [{ form }, { multipart: form }]) {
      const path = `/api/schedules/${encodeURIComponent(key)}`;
      const { status, body } = await host.user('alice', 'PUT', path, options as never);
      expect([status, body.data]).toMatchObject([200, { key, jitter: 5, paused: true, task: { input: 'x' } }]);
    }
    await call('DELETE', `/${encodeURIComponent(key)}`);
  });

  it.each([
    ['neither cron nor every', { task: { input: 'x' } }, 'cron', /either cron or every/],
    ['too short an interval', { every: 59, task: { input: 'x' } }, 'every', /at least 60 seconds/],
    ['an unknown setting', { ...NIGHTLY, timezone: 'UTC' }, 'timezone', /did you mean timeZone/],
    ['an unknown field of the task', { ...NIGHTLY, task: { inptu: 'x' } }, 'task.inptu', /did you mean input/],
    [
      'a key of a request in the task',
      { ...NIGHTLY, task: { input: 'x', idempotencyKey: 'k' } },
      'task.idempotencyKey',
      /leave it out/,
    ],
    ['no task', { cron: '0 3 * * *' }, 'task', /required/],
    ['a task that is a list', { cron: '0 3 * * *', task: [] }, 'task', /object/],
    ['a task without input', { ...NIGHTLY, task: {} }, 'task.input', /required/],
    ['a task of a wrong type', { ...NIGHTLY, task: { input: 'x', priority: 'high' } }, 'task.priority', /integer/],
    [
      'a priority that is not for users',
      { ...NIGHTLY, task: { input: 'x', priority: -1 } },
      'task.priority',
      /less than 0/,
    ],
    [
      'a callback that is not allowed',
      { ...NIGHTLY, task: { input: 'x', callbackUrl: 'http://127.0.0.1/' } },
      'task.callbackUrl',
      /./,
    ],
    ['a status', { ...NIGHTLY, task: { input: 'x', status: 10 } }, 'task.status', /the schedule decides/],
    [
      'a time of the task',
      { ...NIGHTLY, task: { input: 'x', runAt: '2030-01-01T00:00:00Z' } },
      'task.runAt',
      /the schedule decides/,
    ],
    ['a cron of six fields', { ...NIGHTLY, cron: '0 0 3 * * *' }, 'cron', /6 fields instead of 5/],
    ['a day that never comes', { ...NIGHTLY, cron: '0 0 30 2 *' }, 'cron', /cron expression/],
    ['a zone that is none', { ...NIGHTLY, timeZone: 'Mars/Olympus' }, 'timeZone', /IANA/],
    ['a list instead of settings', [NIGHTLY], 'body', /JSON object/],
  ])('refuse %s', async (_, settings, field, msg) => {
    const [status, where_, said] = problemOf(await put('wrong', settings));
    expect([status, where_]).toEqual([400, field]);
    expect(said).toMatch(msg);
    expect((await call('GET', '/wrong')).status).toBe(404);
  });

  it('refuse keys that are too long, and lists with a cursor of something else', async () => {
    expect(problemOf(await put('x'.repeat(65), NIGHTLY)).slice(0, 2)).toEqual([400, 'key']);
    expect(problemOf(await call('GET', '?cursor=x')).slice(0, 2)).toEqual([400, 'cursor']);
    expect(problemOf(await call('GET', '?state=late')).slice(0, 2)).toEqual([400, 'state']);
  });

  it('are as many as the quota allows, also when they come at once', async () => {
    const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
    const answers = await Promise.all(keys.map((key) => put(key, NIGHTLY, 'carol')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    const refused = answers.find(({ status }) => status === 403)!;
    expect(refused.body.data.code).toBe(14003);
    expect(problemOf(refused)).toEqual([403, 'key', expect.stringMatching(/at most 3 schedules; delete one/)]);
    const { list } = (await call('GET', '', undefined, 'carol')).body.data;
    expect(list).toHaveLength(3);
    // The ones that are there may still be replaced.
    expect((await put(list[0].key, { ...NIGHTLY, jitter: 9 }, 'carol')).status).toBe(200);
  });

  it('are listed page by page', async () => {
    const owner = `ÄÖ ${'😀'.repeat(250)}`;
    for (const key of ['a', 'b', '😀'.repeat(40)]) await host.tasks.schedules.set(key, NIGHTLY, { userId: owner });
    let page = await host.tasks.schedules.list({ userId: owner, limit: 1 });
    const keys = page.list.map(({ key }) => key);
    while (page.nextCursor !== null) {
      page = await host.tasks.schedules.list({ userId: owner, state: 'active', limit: 1, cursor: page.nextCursor });
      keys.push(...page.list.map(({ key }) => key));
    }
    expect(keys).toEqual(['a', 'b', '😀'.repeat(40)]);
  });
});

describe('the routes of schedules', () => {
  const [where] = PLACES;
  it("are not there while scheduleUri is 'off', and need option schedules", async () => {
    const host = await startHost({ ...where!, options: { schedules: true } });
    expect((await host.user('alice', 'GET', '/api/schedules')).status).toBe(404);
    await host.close();
    const refused = startHost({ ...where!, options: { scheduleUri: '/api/schedules' } });
    await expect(refused).rejects.toThrow(/scheduleUri: needs option `schedules`; set `schedules: true`/);
  });
});
