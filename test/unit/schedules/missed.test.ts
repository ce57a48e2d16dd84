import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import type { ScheduleRun } from '../../../src/schedules/schedule.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const HOUR = 3_600_000;
const WEEK = 7 * 24;
const alice = { userId: 'alice' };
const OPTIONS = { schedules: true };

describe.each(PLACES)('schedules after a time of trouble, on $engine', (where) => {
  let host: Host;
  /** A process that keeps schedules and creates no tasks of them. */
  let keeper: Host;
  const start = (options = {}): Promise<Host> => startHost({ ...where, database: keeper.database, options });
  beforeAll(async () => {
    keeper = await startHost({ ...where, options: { migrate: true } });
  });
  afterAll(async () => {
    await host?.app.close();
    await keeper?.close();
  });

  const query = (text: string): Promise<any[]> => host.app.get(DataSource).query(text);
  const rowOf = async (key: string): Promise<any> =>
    (await query(`SELECT * FROM tasks_schedules WHERE schedule_key = '${key}'`))[0];
  /** The times of the tasks of a schedule, oldest first. */
  const timesOf = async (key: string): Promise<number[]> => {
    const { list } = await host.tasks.operator.search({ scheduleKey: key, pageNum: 1000 });
    return list.map(({ scheduledFor }) => scheduledFor!.getTime()).sort((a, b) => a - b);
  };

  it('make up for a week without a process as each says', async () => {
    // Before it is due, it is set back by a week, as if nothing had run since then.
    const startAt = new Date(Math.floor(Date.now() / HOUR) * HOUR - (WEEK - 1) * HOUR);
    const settings = { every: 3600, startAt, overlap: 'allow', task: { input: 'x' } } as const;
    for (const catchUp of ['none', 'one', 'all'] as const)
      await keeper.tasks.schedules.set(catchUp, { ...settings, catchUp, catchUpWindow: 30 * 86_400 }, alice);
    await keeper.tasks.schedules.set('a day', { ...settings, catchUp: 'all', catchUpWindow: 86_400 }, alice);
    await keeper.tasks.schedules.set('gone', { ...settings, catchUp: 'one', catchUpWindow: 60 }, alice);
    await keeper.app.get(DataSource).query(`UPDATE tasks_schedules SET
      next_for = ${textOf(startAt)}, due_at = ${textOf(startAt)}`);
    if (where.engine === 'sqlite') await keeper.app.close();
    host = await start(OPTIONS);
    await until('all have gone on', async () => {
      const [row] = await query(`SELECT COUNT(*) AS n FROM tasks_schedules WHERE due_at < ${textOf(new Date())}`);
      return Number(row.n) === 0;
    });
    const latest = Math.floor(Date.now() / HOUR) * HOUR;
    expect((await timesOf('none')).filter((time) => time < Date.now() - 120_000)).toEqual([]);
    expect(await timesOf('one')).toEqual([latest]);
    const all = await timesOf('all');
    expect(all).toEqual(Array.from({ length: all.length }, (_, n) => startAt.getTime() + n * HOUR));
    expect(all.at(-1)).toBe(latest);
    expect(all.length).toBeGreaterThanOrEqual(WEEK);
    expect((await timesOf('a day')).length).toBeGreaterThanOrEqual(23);
    expect((await timesOf('a day')).length).toBeLessThanOrEqual(24);
    expect((await timesOf('gone')).filter((time) => time < Date.now() - 120_000)).toEqual([]);
  });

  it.each([
    ['skip', (runs: ScheduleRun[]) => runs.some(({ error }) => error?.startsWith('left out'))],
    // The time that waits is no run yet.
    ['buffer', async () => (await rowOf('buffer')).waits_for !== null],
  ] as const)('go on when a task that hangs has used up its attempts (overlap: %s)', async (overlap, isBehind) => {
    const task = { input: 'x', service: `hangs-${overlap}`, maxAttempts: 1 };
    await host.tasks.schedules.set(overlap, { every: 1, overlap, task }, alice);
    const [hanging] = await until('its worker', async () => {
      const claimed = await host.tasks.claim({ service: task.service, lease: 2 });
      return claimed.length > 0 ? claimed : undefined;
    });
    await until('a time that comes too early', async () =>
      isBehind((await host.tasks.schedules.get(overlap, alice)).runs),
    );
    // The worker says nothing more: the lease runs out.
    await until('the next task', async () => (await timesOf(overlap)).length > 1);
    expect((await host.tasks.get(hanging!.taskId)).status).toBe(TASK_STATUS.ERROR);
    await host.tasks.schedules.delete(overlap, alice);
  });

  it('run no time twice when their tasks are deleted, and when the process is another', async () => {
    const startAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    const endAt = new Date(startAt.getTime() + 3000);
    const settings = { every: 1, startAt, endAt, overlap: 'allow', catchUp: 'all', task: { input: 'x' } } as const;
    const created: number[] = [];
    const listen = () =>
      host.tasks.onTask(({ type, task }) => {
        if (type === 'created' && task.scheduleKey === 'pruned') created.push(task.scheduledFor!.getTime());
      });
    listen();
    await host.tasks.schedules.set('pruned', settings, alice);
    const prune = () => query("DELETE FROM tasks WHERE schedule_key = 'pruned'");
    await until('two of its times', async () => {
      await prune();
      return created.length >= 2;
    });
    await host.app.close();
    host = await start(OPTIONS);
    listen();
    await until('its end', async () => (await host.tasks.schedules.get('pruned', alice)).state === 'ended');
    await prune();
    await host.tasks.schedules.set('pruned', settings, alice);
    await new Promise((goOn) => setTimeout(goOn, 1500));
    expect(await timesOf('pruned')).toEqual([]);
    // A process may have created tasks just as it was closed: nobody heard of them here.
    expect(new Set(created).size).toBe(created.length);
    expect((await host.tasks.schedules.get('pruned', alice)).runs).toHaveLength(4);
  });

  const textOf = (time: Date): string =>
    where.engine === 'postgres' ? `'${time.toISOString()}'` : `'${time.toISOString().slice(0, -1).replace('T', ' ')}'`;
});
