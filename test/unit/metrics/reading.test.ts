import { beforeEach, describe, expect, it } from '@jest/globals';
import { ownQueue } from '../schema/fixtures/own-queue.js';
import { ENGINES } from '../../support/databases.js';

describe.each(ENGINES)('what happened, on %s', (engine) => {
  const own = ownQueue(engine);
  beforeEach(() => own.dataSource.query('DELETE FROM tasks_metrics'));

  const minuteOf = (time: string): number => Date.parse(time) / 60_000;
  const add = (minute: number, service: string, values: Record<string, number>) =>
    own.dataSource.query(
      `INSERT INTO tasks_metrics (minute, service, ${Object.keys(values).join(', ')})
      VALUES (${minute}, '${service}', ${Object.values(values).join(', ')})`,
    );
  const at = (time: string) => new Date(`2026-11-26T${time}:00.000Z`);

  it('is a series of steps without gaps, of one service or of all', async () => {
    const minute = minuteOf('2026-11-26T09:00:00Z');
    await add(minute, 'a', { created: 5, wait_ms: 300, wait_100: 4 });
    await add(minute + 4, 'a', { created: 2 });
    await add(minute + 4, 'b', { created: 1, failed: 1, run_ms: 9_000_000_000, run_more: 2 });
    await add(minute + 10, 'a', { created: 7 });
    await add(minute + 15, 'a', { created: 100 });
    const all = await own.service.metrics.stats({ from: at('09:00'), to: at('09:15'), step: 300 });
    expect({ ...all, points: all.points.map(({ time, created }) => [time, created]) }).toEqual({
      from: at('09:00'),
      to: at('09:15'),
      step: 300,
      points: [
        [at('09:00'), 8],
        [at('09:05'), 0],
        [at('09:10'), 7],
      ],
    });
    expect(all.points[0]).toMatchObject({
      failed: 1,
      waitMs: { mean: 75, p95: 97 },
      runMs: { mean: 4_500_000_000, p95: 3e8 },
    });
    expect(all.points[1]).toMatchObject({ waitMs: { mean: null, p95: null } });
    const { points } = await own.service.metrics.stats({
      from: at('09:00'),
      to: at('09:15'),
      step: 300,
      service: 'a',
    });
    expect(points.map(({ created }) => created)).toEqual([7, 0, 7]);
  });

  it('has whole steps that hold the time asked for, by default 60 of the last hour', async () => {
    const wide = await own.service.metrics.stats({ from: at('09:07'), to: at('09:52'), step: 1800 });
    expect([wide.from, wide.to, wide.points.length]).toEqual([at('09:00'), at('10:00'), 2]);
    const { from, to, step, points } = await own.service.metrics.stats();
    expect(step).toBe(60);
    expect(points.length).toBe((to.getTime() - from.getTime()) / 60_000);
    expect(Math.abs(points.length - 60)).toBeLessThanOrEqual(1);
    expect(Math.abs(to.getTime() - Date.now())).toBeLessThan(120_000);
    const week = await own.service.metrics.stats({ from: new Date(Date.now() - 7 * 86_400_000) });
    expect(week.points.length).toBeLessThanOrEqual(61);
  });

  it.each([
    ['from', { from: at('10:00'), to: at('09:00') }],
    ['from', { from: new Date('never') }],
    ['step', { step: 90 }],
    ['step', { step: 0 }],
    ['step', { from: at('00:00'), to: new Date('2026-12-26'), step: 60 }],
    ['service', { service: '' }],
  ])('refuses a wrong %s: %j', async (field, options) => {
    await expect(own.service.metrics.stats(options)).rejects.toMatchObject({
      errorName: 'INVALID_PARAM',
      detail: [expect.objectContaining({ field })],
    });
  });

  it('is summed up for the last minutes, by service', async () => {
    const minute = Math.floor(Date.now() / 60_000);
    await add(minute, 'a', { created: 1, retried: 2 });
    await add(minute - 3, 'a', { created: 2, wait_ms: 100, wait_100: 2 });
    await add(minute - 30, 'a', { created: 4 });
    await add(minute - 3, 'b', { finished: 3 });
    await add(minute - 3, 'c', { finished: 9 });
    const { metrics } = own.service;
    const five = await metrics.recent(['a', 'b', 'none'], 5);
    expect([...five.keys()]).toEqual(['a', 'b', 'none']);
    expect(five.get('a')).toMatchObject({ created: 3, retried: 2, finished: 0, waitMs: { mean: 50 } });
    expect(five.get('none')).toMatchObject({ created: 0, runMs: { mean: null, p95: null } });
    expect((await metrics.recent(undefined, 60)).get('a')).toMatchObject({ created: 7 });
    expect([...(await metrics.recent(undefined, 60)).keys()]).toEqual(['a', 'b', 'c']);
    expect(await metrics.recent([], 5)).toEqual(new Map());
  });
});
