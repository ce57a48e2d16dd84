import { beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { ENGINES } from '../../support/databases.js';
import { until } from '../../support/until.js';
import { ownQueue } from '../schema/fixtures/own-queue.js';

const { FINISHED } = TASK_STATUS;
const alice = { userId: 'alice' };
const TIMES = 5;
const RETENTION = { schedules: true, retention: { finished: 0, failed: 0 } };

describe.each(ENGINES)('schedules whose tasks are deleted as soon as they have ended, on %s', (engine) => {
  const own = ownQueue(engine, RETENTION);
  /** The times for which tasks were created. */
  const created: number[] = [];
  const start = (): void => {
    own.service.onTask(({ type, task }) => {
      if (type === 'created') created.push(task.scheduledFor!.getTime());
    });
    own.queue.start();
  };
  beforeAll(start);

  /** Finishes what is there, and lets retention delete it. */
  async function clear(): Promise<void> {
    for (const { taskId, leaseToken } of await own.service.claim({ limit: 10 }))
      await own.service.report(taskId, { leaseToken: leaseToken!, status: FINISHED });
    await own.queue.sweep();
  }

  it.each(['skip', 'allow', 'buffer'] as const)('create the task of each time once (overlap: %s)', async (overlap) => {
    created.length = 0;
    const startAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000);
    const times = Array.from({ length: TIMES }, (_, n) => startAt.getTime() + n * 1000);
    const endAt = new Date(times.at(-1)!);
    const settings = { every: 1, startAt, endAt, overlap, catchUp: 'all', task: { input: 'x' } } as const;
    await own.service.schedules.set(overlap, settings, alice);
    await until('the first times', () => clear().then(() => created.length >= 2));
    // Another process goes on.
    await own.queue.close();
    await own.open();
    start();
    const shown = await until('its end', async () => {
      await clear();
      const schedule = await own.service.schedules.get(overlap, alice);
      return schedule.state === 'ended' ? schedule : undefined;
    });
    await clear();
    expect((await own.service.list({ ...alice, pageNum: 100 })).list).toEqual([]);
    // The same settings again, and another look at what is due, create nothing.
    await own.service.schedules.set(overlap, settings, alice);
    await new Promise((goOn) => setTimeout(goOn, 1500));
    expect(await own.service.schedules.get(overlap, alice)).toEqual(shown);
    expect(new Set(created).size).toBe(created.length);
    const run = shown.runs.filter(({ taskId }) => taskId !== null).map(({ scheduledFor }) => scheduledFor.getTime());
    expect(new Set(run).size).toBe(run.length);
    // A process that closes may create tasks of which nobody hears here.
    expect(run.filter((time) => !times.includes(time))).toEqual([]);
    if (overlap === 'allow') expect(run.sort()).toEqual(times);
  });
});
