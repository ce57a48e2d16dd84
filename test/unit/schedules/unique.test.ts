import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Task, TASK_STATUS } from '../../../src/index.js';
import type { Schedule, ScheduleSettings } from '../../../src/schedules/schedule.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const alice = { userId: 'alice' };
const COUNT = 3;

describe.each(PLACES)('schedules of unique tasks, on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    // One task of each schedule fills the quota.
    host = await startHost({ ...where, options: { schedules: true, maxActiveTasks: 1 } });
  });
  afterAll(() => host?.close());

  /** Lets a schedule run for some times, and returns it with its times, oldest first. */
  async function past(key: string, settings: Partial<ScheduleSettings>): Promise<{ shown: Schedule; times: number[] }> {
    const startAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    const times = Array.from({ length: COUNT }, (_, n) => startAt.getTime() + n * 1000);
    const endAt = new Date(times.at(-1)!);
    const owner = { userId: key };
    const { schedules } = host.tasks;
    const all = { every: 1, overlap: 'allow', catchUp: 'all', startAt, endAt, ...settings } as ScheduleSettings;
    await schedules.set(key, all, owner);
    const shown = await until('its end', async () => {
      const schedule = await schedules.get(key, owner);
      return schedule.state === 'ended' ? schedule : undefined;
    });
    return { shown, times };
  }
  const tasksOf = async (userId: string): Promise<Task[]> => (await host.tasks.list({ userId })).list;

  it('create one task while it holds the key; a duplicate needs no place in the quota', async () => {
    const { shown, times } = await past('returned', { task: { input: 'x', unique: { key: 'k' } } });
    const [task, ...others] = await tasksOf('returned');
    expect([task!.scheduledFor!.getTime(), others]).toEqual([times[0], []]);
    expect(shown.runs.map(({ taskId, error }) => [taskId, error])).toEqual(times.map(() => [task!.taskId, null]));
    expect(shown.last).toMatchObject({ taskId: task!.taskId });
  });

  it('give the waiting task the newest time, if they replace it', async () => {
    const unique = { key: 'k', until: 'claimed', onConflict: 'replace' } as const;
    const { times } = await past('replaced', { task: { input: 'x', unique } });
    const [task, ...others] = await tasksOf('replaced');
    expect([task!.scheduledFor!.getTime(), others]).toEqual([times.at(-1), []]);
  });

  it('wait for a task of the owner that holds the key, as for one of their own', async () => {
    const unique = { key: 'k' };
    const held = await host.tasks.create({ userId: 'other', input: 'mine', status: TASK_STATUS.BEGIN, unique });
    const { shown } = await past('other', { overlap: 'skip', task: { input: 'x', unique } });
    expect((await tasksOf('other')).map(({ taskId, scheduleKey }) => [taskId, scheduleKey])).toEqual([
      [held.taskId, null],
    ]);
    expect(shown.runs.at(-1)).toMatchObject({ taskId: held.taskId, error: null });
    expect(shown.runs[0]).toMatchObject({ taskId: null, error: expect.stringMatching(/had not ended/) });
  });

  it('run now: the answer is the task that holds the key', async () => {
    const task = { input: 'x', unique: { key: 'k' } };
    await host.tasks.schedules.set('now', { every: 3600, task, paused: true }, alice);
    const first = await host.tasks.schedules.run('now', alice);
    expect(await host.tasks.schedules.run('now', alice)).toMatchObject({ taskId: first.taskId, duplicate: true });
    await host.tasks.cancel(first.taskId);
    expect((await host.tasks.schedules.run('now', alice)).taskId).not.toBe(first.taskId);
  });
});
