import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataOf, expectFailure } from '../../support/answers.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const secondsUntil = (time: string | Date): number => (new Date(time).getTime() - Date.now()) / 1000;

/** Seconds that a slow machine may take from an answer to a look at it. */
const SLOW = 15;

function expectAbout(left: number, seconds: number): void {
  expect(left).toBeLessThan(seconds + 2);
  expect(left).toBeGreaterThan(seconds - SLOW);
}

describe.each(PLACES)('leases on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({
      ...where,
      options: {
        backoff: { base: 60, max: 100, jitter: 0.5 },
        services: { quick: { lease: 20, legacyLease: 40, maxAttempts: 1 }, eager: { backoff: { base: 0 } } },
      },
    });
  });
  afterAll(() => host?.close());

  const ready = async (json: object = {}): Promise<string> =>
    dataOf(await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', status: 10, ...json } })).taskId;
  const claim = async (query: Record<string, string | number>): Promise<any> =>
    dataOf(await host.worker('GET', '/api/crontask', { query }));
  const taken = async (query: Record<string, string | number> = {}, json: object = {}): Promise<any> =>
    claim({ taskId: await ready(json), lease: 60, ...query });
  const report = (taskId: string, json: object) => host.worker('PUT', `/api/crontask/${taskId}`, { json });
  const seen = async (taskId: string): Promise<any> => dataOf(await host.user('alice', 'GET', `/api/tasks/${taskId}`));

  it.each([
    ['as long as it asks for', { lease: 100 }, {}, 100],
    ["a new claim as the service's lease says", { workerId: 'w' }, { service: 'quick' }, 20],
    ['a new claim for five minutes', { workerId: 'w' }, {}, 300],
    ["the original's claim as its service's legacyLease says", {}, { service: 'quick' }, 40],
    ["the original's claim for twelve hours", {}, {}, 43_200],
  ] as const)('holds %s', async (_, query, task, seconds) => {
    const claimed = await claim({ ...query, taskId: await ready(task) });
    expectAbout(secondsUntil(claimed.leaseExpiresAt), seconds);
    expect(claimed).toMatchObject({ attempt: 1, task: { attempt: 1, leaseExpiresAt: claimed.leaseExpiresAt } });
    expect((await seen(claimed.task.taskId)).leaseExpiresAt).toBe(claimed.leaseExpiresAt);
    expect(claimed.leaseToken).toMatch(/^[\w-]{35,36}$/);
  });

  it('is renewed by every report, by as much as before, or by what the report says', async () => {
    const { task, leaseToken } = await taken({ lease: 50 });
    const renewed = async (json: object): Promise<number> =>
      secondsUntil(dataOf(await report(task.taskId, { leaseToken, ...json })).leaseExpiresAt);
    expectAbout(await renewed({}), 50);
    expectAbout(await renewed({ progress: 5, lease: 500 }), 500);
    expectAbout(await renewed({}), 500);
    const ended = dataOf(await report(task.taskId, { leaseToken, status: 30 }));
    expect(ended).toMatchObject({ leaseExpiresAt: null, task: { leaseExpiresAt: null, progress: 100 } });
    expectAbout(secondsUntil(ended.task.finishedAt), 0);
  });

  it('that runs out makes the task ready again within two seconds, with its checkpoint', async () => {
    const { task, leaseToken } = await taken({ lease: 1 });
    dataOf(await report(task.taskId, { leaseToken, temp: 'frame 7', progress: 40 }));
    await until('ready again', async () => (await seen(task.taskId)).status === 10);
    const again = await claim({ taskId: task.taskId, lease: 60 });
    expect(again).toMatchObject({ attempt: 2, task: { temp: 'frame 7', progress: 40, error: null } });
    expect(again.leaseToken).not.toBe(leaseToken);
    expectFailureState(await report(task.taskId, { leaseToken, status: 30 }), 20);
    expect((await seen(task.taskId)).status).toBe(20);
  });

  it.each([
    ['its service', { service: 'quick' }],
    ['the task itself', { maxAttempts: 1 }],
  ])('that runs out in the last attempt that %s allows fails the task, and says so', async (_, json) => {
    const { task } = await taken({ lease: 1 }, json);
    await until('failed', async () => (await seen(task.taskId)).status === -10);
    expect(await seen(task.taskId)).toMatchObject({
      error: 'the lease ran out in attempt 1 of 1',
      finishedAt: expect.any(String),
      leaseExpiresAt: null,
    });
  });

  it('left behind by plain SQL is cleared, and the status stays', async () => {
    const { task } = await taken({ lease: 1 });
    await host.app.get(DataSource).query(`UPDATE tasks SET status = 30 WHERE id = '${task.taskId}'`);
    await until('cleared', async () => (await seen(task.taskId)).leaseExpiresAt === null);
    expect((await seen(task.taskId)).status).toBe(30);
  });

  const expectFailureState = (answer: any, status: number): void => {
    expect([answer.status, answer.body.data.code, answer.body.data.detail.status]).toEqual([409, 14005, status]);
    expect(answer.body.data.detail.task.status).toBe(status);
  };

  it('counts only with its token, when it was claimed in the new form', async () => {
    const { task, leaseToken } = await taken();
    const other = await taken();
    for (const wrong of [undefined, 'x', other.leaseToken])
      expectFailureState(await report(task.taskId, { status: 30, leaseToken: wrong }), 20);
    const headers = { 'Lease-Token': leaseToken };
    const path = `/api/crontask/${task.taskId}`;
    expect(dataOf(await host.worker('PUT', path, { headers, json: { progress: 9 } })).task.progress).toBe(9);
    expect(
      dataOf(await host.worker('POST', path, { headers, form: { status: '30', _method: 'PUT' } })).task.status,
    ).toBe(30);
  });

  it.each([
    ['the end', { status: 30, output: 'out' }, 30],
    ['a failure', { status: -10, error: 'why' }, -10],
    ['a failure that may be tried again', { status: -10, retry: true }, 5],
    ['giving it back', { status: 10 }, 10],
  ] as const)('%s is answered the same when it is reported twice', async (_, json, status) => {
    const { task, leaseToken } = await taken();
    const first = dataOf(await report(task.taskId, { leaseToken, ...json }));
    expect(first.task.status).toBe(status);
    expect(dataOf(await report(task.taskId, { leaseToken, ...json }))).toEqual(first);
    expectFailureState(await report(task.taskId, { leaseToken, progress: 3 }), status);
    if (status !== 30) expectFailureState(await report(task.taskId, { leaseToken, status: 30 }), status);
    else expectFailureState(await report(task.taskId, { leaseToken, status: -10 }), status);
  });

  it('is over when the user cancels, and the worker is told with its next report', async () => {
    const { task, leaseToken } = await taken();
    dataOf(await host.user('alice', 'PUT', `/api/tasks/${task.taskId}`, { json: { status: -20 } }));
    expectFailureState(await report(task.taskId, { leaseToken, progress: 50 }), -20);
    expect(await seen(task.taskId)).toMatchObject({ status: -20, progress: 0, leaseExpiresAt: null });
  });

  it("of the original's form needs no token, and its late end counts while nobody has the task", async () => {
    for (const status of [10, -10]) {
      const { task } = await claim({ taskId: await ready() });
      expect(dataOf(await report(task.taskId, { progress: 10 })).task.progress).toBe(10);
      await host.app.get(DataSource).query(`UPDATE tasks SET status = ${status} WHERE id = '${task.taskId}'`);
      expect(dataOf(await report(task.taskId, { status: 30, output: 'late' })).task).toMatchObject({ status: 30 });
    }
    const { task } = await claim({ taskId: await ready() });
    dataOf(await report(task.taskId, { status: 10 }));
    await claim({ taskId: task.taskId, lease: 60 });
    expectFailureState(await report(task.taskId, { status: 30 }), 20);
  });

  it.each([
    ['the back-off', {}, 60, 90],
    ["the worker's delay", { delay: 7 }, 7, 7],
  ])('a failure that may be tried again rests for %s', async (_, delay, least, most) => {
    const { task, leaseToken } = await taken();
    const failed = { leaseToken, status: -10, retry: true, error: 'flaky', temp: 'half', ...delay };
    const { task: after } = dataOf(await report(task.taskId, failed));
    expect(after).toMatchObject({ status: 5, error: 'flaky', temp: 'half', attempt: 1, finishedAt: null });
    expect(secondsUntil(after.runAt)).toBeGreaterThan(least - SLOW);
    expect(secondsUntil(after.runAt)).toBeLessThan(most + 2);
  });

  it('a failure that may be tried again at once is ready, and fails for good when its attempts are used up', async () => {
    const taskId = await ready({ maxAttempts: 2 });
    for (const [attempt, status] of [
      [1, 10],
      [2, -10],
    ]) {
      const { leaseToken, attempt: taken } = await claim({ taskId, lease: 60 });
      expect(taken).toBe(attempt);
      expect(dataOf(await report(taskId, { leaseToken, status: -10, retry: true, delay: 0 })).task.status).toBe(status);
    }
    const own = await claim({ taskId: await ready({ service: 'eager' }), lease: 60 });
    const retried = { leaseToken: own.leaseToken, status: -10, retry: true };
    expect(dataOf(await report(own.task.taskId, retried)).task.status).toBe(10);
  });

  it('a task given back is no attempt, and rests from the third time in a row', async () => {
    const taskId = await ready();
    for (const status of [10, 10, 5]) {
      const { leaseToken, attempt } = await claim({ taskId, lease: 60 });
      expect(attempt).toBe(1);
      expect(dataOf(await report(taskId, { leaseToken, status: 10 })).task).toMatchObject({ status, attempt: 0 });
    }
  });

  it.each([
    ['retry', { status: 30, retry: true }],
    ['retry', { retry: 'yes' }],
    ['delay', { status: 30, delay: 1 }],
    ['delay', { status: -10, retry: true, delay: -1 }],
    ['lease', { lease: 0 }],
    ['lease', { lease: 86_401 }],
    ['error', { error: 'x'.repeat(65_536) }],
    ['leaseToken', { leaseToken: '' }],
  ])('refuses a wrong %s: %j', async (field, json) => {
    const { task, leaseToken } = await taken();
    const answer = await report(task.taskId, { leaseToken, ...json });
    expect([answer.body.data.code, answer.body.data.detail[0].field]).toEqual([
      field === 'error' ? 14008 : 14004,
      field,
    ]);
    expect((await seen(task.taskId)).status).toBe(20);
  });

  it.each([
    { lease: 0 },
    { lease: 86_401 },
    { limit: 0 },
    { limit: 101 },
    { wait: 31 },
    { wait: -1 },
    { workerId: 'x'.repeat(65) },
  ] as Record<string, string | number>[])('refuses a claim with %j', async (query) => {
    const answer = await host.worker('GET', '/api/crontask', { query });
    expect([answer.status, answer.body.data.detail[0].field]).toEqual([400, Object.keys(query)[0]]);
    const posted = await host.worker('POST', '/api/crontask', { json: query });
    expect(posted.body).toEqual(answer.body);
  });
});

describe.each(PLACES)('a host that requires leases on $engine with $adapter', (where) => {
  it('refuses reports without a token', async () => {
    const host = await startHost({ ...where, options: { requireLease: true } });
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    const { leaseToken } = dataOf(await host.worker('GET', '/api/crontask'));
    const path = `/api/crontask/${taskId}`;
    expectFailure(await host.worker('PUT', path, { json: { status: 30 } }), 'INVALID_PARAM', [
      'leaseToken',
      'isDefined',
    ]);
    expect(dataOf(await host.worker('PUT', path, { json: { status: 30, leaseToken } })).task.status).toBe(30);
    await host.close();
  });
});
