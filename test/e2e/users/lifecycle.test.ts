import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataOf, expectFailure, expectWrongState } from '../../support/answers.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

describe.each(PLACES)('schedules, cancelling and running again on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const create = (json: object) => host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', ...json } });
  const put = (taskId: string, json: object) => host.user('alice', 'PUT', `/api/tasks/${taskId}`, { json });
  const seen = async (taskId: string): Promise<any> => dataOf(await host.user('alice', 'GET', `/api/tasks/${taskId}`));
  /** A task in this status, as its users and workers bring it there. */
  async function taskIn(status: number): Promise<string> {
    const { taskId } = dataOf(
      await create(status === 0 ? {} : status === 5 ? { runAt: inSeconds(60) } : { status: 10 }),
    );
    if ([20, 30, -10].includes(status)) {
      const [task] = await host.tasks.claim({ taskId });
      const report = {
        leaseToken: task!.leaseToken!,
        status,
        error: status === -10 ? 'why' : undefined,
        temp: 'half',
        progress: 60,
      };
      await host.tasks.report(taskId, report);
    }
    if (status === -20) await host.tasks.cancel(taskId);
    return taskId;
  }

  it('keeps what the new parameters say, and shows it after the original fields', async () => {
    const task = dataOf(await create({ group: 'g', priority: 7, maxAttempts: 9, status: 10 }));
    expect(Object.keys(task)).toEqual([
      ...['taskId', 'service', 'status', 'progress', 'input', 'args', 'temp', 'output', 'group', 'priority', 'attempt'],
      ...['maxAttempts', 'error', 'runAt', 'createdAt', 'updatedAt', 'startedAt', 'finishedAt', 'leaseExpiresAt'],
    ]);
    expect(task).toMatchObject({ group: 'g', priority: 7, maxAttempts: 9, attempt: 0, error: null, runAt: null });
    expect(task.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('makes a task ready within two seconds of its time, and not before', async () => {
    const runAt = inSeconds(1.5);
    const { taskId, status, runAt: shown } = dataOf(await create({ runAt }));
    expect([status, shown]).toEqual([5, runAt]);
    expect(dataOf(await host.worker('GET', '/api/crontask', { query: { taskId } }))).toEqual([]);
    await until('ready', async () => (await seen(taskId)).status === 10);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(runAt) - 50);
    expect(dataOf(await host.worker('GET', '/api/crontask', { query: { taskId } })).task.status).toBe(20);
  });

  it('takes a time in any zone, and one that is past for now', async () => {
    expect(dataOf(await create({ runAt: '2099-12-31T23:30:00+09:00' }))).toMatchObject({
      status: 5,
      runAt: '2099-12-31T14:30:00.000Z',
    });
    expect(dataOf(await create({ runAt: '2020-01-01T00:00:00Z' }))).toMatchObject({ status: 10 });
    expect(dataOf(await put(await taskIn(5), { status: 10 })).status).toBe(10);
  });

  it.each([
    '2026-12-24',
    '2026-12-24T18:00:00',
    'tomorrow',
    '2026-02-31T00:00:00',
    42,
    '12026-01-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
  ])('refuses %j as a time', async (runAt) =>
    expectFailure(await create({ runAt }), 'INVALID_PARAM', ['runAt', 'isTime']),
  );

  it('refuses a draft for later, and wrong priorities and attempts', async () => {
    expectFailure(await create({ runAt: inSeconds(9), status: 0 }), 'INVALID_PARAM', ['runAt', 'draft']);
    expectFailure(await create({ priority: 40_000 }), 'INVALID_PARAM', ['priority', 'max']);
    expectFailure(await create({ maxAttempts: 0 }), 'INVALID_PARAM', ['maxAttempts', 'min']);
    expectFailure(await create({ group: 'g'.repeat(65) }), 'INVALID_PARAM', ['group', 'maxLength']);
  });

  it.each([0, 5, 10, 20])('cancels a task with status %d, twice if need be', async (status) => {
    const taskId = await taskIn(status);
    const cancelled = dataOf(await put(taskId, { status: -20 }));
    expect(cancelled).toMatchObject({ status: -20, finishedAt: expect.any(String), leaseExpiresAt: null });
    expect(dataOf(await put(taskId, { status: -20 }))).toEqual(cancelled);
    expect(dataOf(await host.worker('GET', '/api/crontask', { query: { taskId } }))).toEqual([]);
  });

  it.each([
    [30, -20, []],
    [-10, -20, [10]],
    [30, 10, []],
    [20, 10, [-20]],
    [10, 0, [-20]],
  ])('does not bring a task from %d to %d, and says where it may go', async (from, to, allowed) => {
    expectWrongState(await put(await taskIn(from), { status: to }), from, allowed);
  });

  it.each([-10, -20])('runs a task with status %d again as if it were new, with its checkpoint', async (status) => {
    const taskId = await taskIn(status);
    const before = await seen(taskId);
    const again = dataOf(await put(taskId, { status: 10 }));
    expect(again).toMatchObject({
      status: 10,
      attempt: 0,
      progress: 0,
      error: null,
      finishedAt: null,
      temp: before.temp,
    });
    expect(dataOf(await host.worker('GET', '/api/crontask', { query: { taskId } })).task).toMatchObject({ attempt: 1 });
  });

  it("shows times in UTC, of an adopted table's zone and of rows that have none", async () => {
    const query =
      "INSERT INTO tasks (id, user_id, service, status, input, created_at) VALUES ('old', 'alice', 's', 30, 'in', NULL)";
    await host.app.get(DataSource).query(query);
    expect(await seen('old')).toMatchObject({ createdAt: null, finishedAt: null });
    const { taskId, createdAt } = dataOf(await create({}));
    expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(30_000);
    expect((await seen(taskId)).createdAt).toBe(createdAt);
  });
});

describe.each(PLACES)('a host whose tasks are ready from the start, on $engine with $adapter', (where) => {
  it('makes drafts only of those that ask for it', async () => {
    const host = await startHost({ ...where, options: { initialStatus: 10 } });
    const create = async (json: object) =>
      dataOf(await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', ...json } })).status;
    expect([await create({}), await create({ status: 0 }), await create({ runAt: inSeconds(60) })]).toEqual([10, 0, 5]);
    await host.close();
  });
});

describe.each(PLACES)('a quota on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { maxActiveTasks: (user) => (user === 'free' ? undefined : 10) } });
  });
  afterAll(() => host?.close());
  const create = (user: string, json: unknown = { input: 'in', status: 10 }) =>
    host.user(user, 'POST', '/api/tasks', { json });

  it('is exact for fifty at once, here and in another process', async () => {
    // Another app on the same database is another process to it; SQLite has one.
    const second =
      where.engine === 'sqlite'
        ? host
        : await startHost({ ...where, database: host.database, options: { maxActiveTasks: 10 } });
    const send = (index: number) =>
      (index % 2 === 0 ? host : second).user('crowd', 'POST', '/api/tasks', { json: { input: 'in' } });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => send(index)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(10);
    const [refused] = answers.filter((answer) => answer.status !== 200);
    expect([refused!.status, refused!.body.data.code, refused!.body.data.detail.limit]).toEqual([403, 14003, 10]);
    if (second !== host) await second.close();
  });

  it('counts tasks that have not ended: what ends makes room, what runs again takes it', async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => create('bob').then(dataOf)));
    expect((await create('bob')).body.data.code).toBe(14003);
    await host.tasks.cancel(made[0].taskId);
    dataOf(await create('bob'));
    const again = await host.user('bob', 'PUT', `/api/tasks/${made[0].taskId}`, { json: { status: 10 } });
    expect(again.body.data.code).toBe(14003);
    await host.tasks.remove([made[1].taskId], { userId: 'bob' });
    dataOf(await host.user('bob', 'PUT', `/api/tasks/${made[0].taskId}`, { json: { status: 10 } }));
  });

  it('holds for lists as a whole, and not for whom it does not bind', async () => {
    const list = (length: number) => Array.from({ length }, () => ({ input: 'in' }));
    expect((await create('lists', list(11))).body.data.code).toBe(14003);
    expect((await host.tasks.list({ userId: 'lists' })).list).toEqual([]);
    expect(dataOf(await create('lists', list(10))).list).toHaveLength(10);
    expect(dataOf(await create('free', list(30))).list).toHaveLength(30);
  });
});
