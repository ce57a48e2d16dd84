import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const { BEGIN, FINISHED } = TASK_STATUS;
const alice = { userId: 'alice' };
const NIGHTLY = { cron: '30 2 * * *', timeZone: 'Europe/London', task: { input: 'report', service: 'reports' } };

describe.each(PLACES)('schedules on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { schedules: true } });
  });
  afterAll(() => host?.close());

  const scheduled = async (key: string) => (await host.tasks.schedules.get(key, alice)).runs;
  const tasksOf = async (key: string) => {
    const { list } = await host.tasks.list({ userId: 'alice' });
    return list.filter(({ scheduleKey }) => scheduleKey === key);
  };
  const end = async (taskId: string) => {
    const [claimed] = await host.tasks.claim({ taskId });
    await host.tasks.report(taskId, { leaseToken: claimed!.leaseToken!, status: FINISHED });
  };

  it('are made, shown with their next times, replaced and deleted', async () => {
    const { schedules } = host.tasks;
    const made = await schedules.set('nightly', NIGHTLY, alice);
    expect(made).toMatchObject({
      key: 'nightly',
      userId: 'alice',
      ...NIGHTLY,
      overlap: 'skip',
      catchUp: 'one',
      last: null,
    });
    expect(made.next).toHaveLength(5);
    expect(await schedules.set('nightly', NIGHTLY, alice)).toEqual(made);
    const moved = await schedules.set('nightly', { ...NIGHTLY, cron: '0 3 * * *' }, alice);
    expect(moved.next[0]).not.toEqual(made.next[0]);
    // Another task at the same times moves nothing.
    const other = await schedules.set('nightly', { ...NIGHTLY, cron: '0 3 * * *', task: { input: 'other' } }, alice);
    expect(other.next).toEqual(moved.next);
    expect(await failure(schedules.get('nightly', { userId: 'bob' }))).toEqual(['NOT_FOUND']);
    await schedules.delete('nightly', alice);
    expect(await failure(schedules.delete('nightly', alice))).toEqual(['NOT_FOUND']);
  });

  it('create a ready task each time, which says what it is for', async () => {
    await host.tasks.schedules.set('each second', { every: 1, overlap: 'allow', task: { input: 'x' } }, alice);
    const runs = await until('three times', async () => {
      const found = await scheduled('each second');
      return found.length >= 3 ? found : undefined;
    });
    await host.tasks.schedules.delete('each second', alice);
    const tasks = await tasksOf('each second');
    expect(tasks.length).toBeGreaterThanOrEqual(3);
    const times = tasks.map(({ scheduledFor }) => scheduledFor!.getTime());
    expect(new Set(times).size).toBe(times.length);
    expect(tasks.every(({ status }) => status === BEGIN)).toBe(true);
    const one = await host.tasks.get(runs.at(-1)!.taskId!);
    expect(one.toResponse()).toMatchObject({
      scheduleKey: 'each second',
      scheduledFor: runs.at(-1)!.scheduledFor.toISOString(),
    });
  });

  it('leave a time out while the last task has not ended', async () => {
    await host.tasks.schedules.set('skips', { every: 1, task: { input: 'x' } }, alice);
    const runs = await until('a time left out', async () => {
      const found = await scheduled('skips');
      return found.some(({ taskId }) => taskId === null) ? found : undefined;
    });
    expect(runs.find(({ taskId }) => taskId === null)!.error).toMatch(/the last task had not ended/);
    const [task] = await tasksOf('skips');
    expect(await tasksOf('skips')).toHaveLength(1);
    await end(task!.taskId);
    await until('the next task', async () => (await tasksOf('skips')).length === 2);
    await host.tasks.schedules.delete('skips', alice);
  });

  it('let one time wait until the last task has ended', async () => {
    await host.tasks.schedules.set('waits', { every: 1, overlap: 'buffer', task: { input: 'x' } }, alice);
    const [task] = await until('a task', async () => {
      const found = await tasksOf('waits');
      return found.length > 0 ? found : undefined;
    });
    await end(task!.taskId);
    await until('the one that waited', async () => (await tasksOf('waits')).length === 2);
    await host.tasks.schedules.delete('waits', alice);
  });

  it('pause and go on, and run now', async () => {
    const { schedules } = host.tasks;
    await schedules.set('paused', { every: 1, task: { input: 'x' }, paused: true }, alice);
    expect(await schedules.get('paused', alice)).toMatchObject({ paused: true, next: [], runs: [] });
    const task = await schedules.run('paused', alice);
    expect(task).toMatchObject({ scheduleKey: 'paused', status: BEGIN, userId: 'alice' });
    await end(task.taskId);
    expect(await schedules.set('paused', { every: 1, task: { input: 'x' } }, alice)).toMatchObject({ paused: true });
    expect((await schedules.resume('paused', alice)).next).toHaveLength(5);
    await until('a task after that', async () => (await tasksOf('paused')).length > 1);
    expect(await schedules.pause('paused', alice)).toMatchObject({ paused: true, next: [] });
    await schedules.delete('paused', alice);
  });

  it('tell why a task could not be created, and go on', async () => {
    const limited = await startHost({ ...where, options: { schedules: true, maxActiveTasks: 1 } });
    try {
      await limited.tasks.schedules.set('full', { every: 1, overlap: 'allow', task: { input: 'x' } }, alice);
      const runs = await until('a refusal', async () => {
        const found = (await limited.tasks.schedules.get('full', alice)).runs;
        return found.some(({ error }) => error) ? found : undefined;
      });
      expect(runs.find(({ error }) => error)).toMatchObject({
        taskId: null,
        error: expect.stringMatching(/^TOO_MANY_TASK/),
      });
      expect(runs.at(-1)!.taskId).not.toBeNull();
    } finally {
      await limited.close();
    }
  });

  it('are listed by owner and key, page by page', async () => {
    const { schedules } = host.tasks;
    for (const key of ['b', 'a', 'c']) await schedules.set(key, NIGHTLY, { userId: 'lister' });
    const first = await schedules.list({ userId: 'lister', limit: 2 });
    expect(first.list.map(({ key }) => key)).toEqual(['a', 'b']);
    const rest = await schedules.list({ userId: 'lister', limit: 2, cursor: first.nextCursor! });
    expect([rest.list.map(({ key }) => key), rest.nextCursor]).toEqual([['c'], null]);
    expect(await failure(schedules.list({ cursor: 'x' }))).toEqual(['INVALID_PARAM', 'cursor']);
  });

  it.each([
    ['neither cron nor every', { task: { input: 'x' } }, 'cron'],
    ['both', { cron: '0 0 * * *', every: 60, task: { input: 'x' } }, 'cron'],
    ['a zone that is none', { ...NIGHTLY, timeZone: 'Europe/Nowhere' }, 'timeZone'],
    ['a zone without cron', { every: 60, timeZone: 'UTC', task: { input: 'x' } }, 'timeZone'],
    ['an unknown overlap', { ...NIGHTLY, overlap: 'queue' }, 'overlap'],
    [
      'an end before the start',
      { ...NIGHTLY, startAt: '2027-01-01T00:00:00Z', endAt: '2026-01-01T00:00:00Z' },
      'endAt',
    ],
    ['a jitter beyond the next time', { every: 60, jitter: 61, task: { input: 'x' } }, 'jitter'],
    ['a jitter beyond the next hour', { cron: '0 9,10 * * *', jitter: 3601, task: { input: 'x' } }, 'jitter'],
    ['no task', { cron: '0 0 * * *' }, 'task'],
    ['a task without input', { ...NIGHTLY, task: {} }, 'task.input'],
    ['a task with a time', { ...NIGHTLY, task: { input: 'x', runAt: '2027-01-01T00:00:00Z' } }, 'task.runAt'],
    ['a task that breaks a rule', { ...NIGHTLY, task: { input: 'x', priority: 1e9 } }, 'task.priority'],
  ])('refuse %s', async (_, settings, field) => {
    const refused = host.tasks.schedules.set('wrong', settings as never, alice);
    expect((await failure(refused))!.slice(0, 2)).toEqual(['INVALID_PARAM', field]);
  });

  it('of users are bounded in number and in distance', async () => {
    const bounds = { minInterval: 60, maxSchedules: 1 };
    const carol = { userId: 'carol' };
    const often = host.tasks.schedules.set('often', { every: 59, task: { input: 'x' } }, carol, bounds);
    expect(await failure(often)).toEqual(['INVALID_PARAM', 'every']);
    await host.tasks.schedules.set('one', NIGHTLY, carol, bounds);
    await host.tasks.schedules.set('one', { ...NIGHTLY, jitter: 10 }, carol, bounds);
    expect((await failure(host.tasks.schedules.set('two', NIGHTLY, carol, bounds)))![0]).toBe('TOO_MANY_TASK');
  });
});
