import { describe, expect, it } from '@jest/globals';
import { bucketOf, quantile, timed } from '../../../src/metrics/histogram.js';
import { minuteOf, placeOf, Rollup } from '../../../src/metrics/rollup.js';
import { BUCKETS, type Counter } from '../../../src/schema/tables/metrics.table.js';

const AT = new Date('2026-11-26T09:30:59.999Z');
const created = (service: string, at = AT) => ({ service, at, counts: ['created'] as Counter[], times: {} });

describe('what a process has counted', () => {
  it('is one row a minute and service, and is forgotten once it is taken', () => {
    const rollup = new Rollup([]);
    rollup.add(created('a'));
    rollup.add({ service: 'a', at: AT, counts: ['started'], times: { wait: 25 } });
    rollup.add(created('a', new Date(AT.getTime() + 1)));
    const rows = rollup.take();
    expect(rows.map(({ minute, service }) => [minute, service])).toEqual([
      [minuteOf(AT), 'a'],
      [minuteOf(AT) + 1, 'a'],
    ]);
    const of = (column: string) => rows[0]!.sums[placeOf(column)];
    expect([of('created'), of('started'), of('wait_ms'), of('wait_10'), of('wait_30')]).toEqual([1, 1, 25, 0, 1]);
    expect(rollup.take()).toEqual([]);
  });

  it('is added to what was counted meanwhile when it could not be written', () => {
    const rollup = new Rollup([]);
    rollup.add(created('a'));
    const rows = rollup.take();
    rollup.add(created('a'));
    rollup.add(created('b'));
    rollup.giveBack(rows);
    expect(rollup.take().map(({ service, sums }) => [service, sums[placeOf('created')]])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('tells 100 services of a minute apart, and those of the options always; the rest is one row', () => {
    const rollup = new Rollup(['important']);
    for (let n = 0; n < 1000; n++) rollup.add(created(`invented-${n}`));
    rollup.add(created('important'));
    rollup.add(created('x'.repeat(65)));
    const rows = rollup.take();
    expect(rows).toHaveLength(102);
    const count = (service: string) => rows.find((row) => row.service === service)?.sums[placeOf('created')];
    expect([count('invented-99'), count('invented-100'), count('important'), count('')]).toEqual([
      1,
      undefined,
      1,
      901,
    ]);
  });

  it('is bounded while nothing can be written', () => {
    const rollup = new Rollup([]);
    for (let minute = 0; minute < 300; minute++)
      for (let n = 0; n < 100; n++) rollup.add(created(`s-${n}`, new Date(AT.getTime() + minute * 60_000)));
    const rows = rollup.take();
    expect(rows.length).toBeLessThanOrEqual(10_300);
    expect(rows.reduce((sum, { sums }) => sum + sums[placeOf('created')]!, 0)).toBe(30_000);
  });
});

describe('a histogram', () => {
  /** Values per bucket, by its upper bound. */
  const of = (counts: Record<number, number>, more = 0): number[] => [
    ...BUCKETS.map((bound) => counts[bound] ?? 0),
    more,
  ];

  it('has buckets whose upper bound is included', () => {
    expect([0, 10, 10.5, 30, 3e8, 3e8 + 1].map(bucketOf)).toEqual([0, 0, 1, 1, BUCKETS.length - 1, BUCKETS.length]);
  });

  it('estimates a quantile within the bucket that has its rank', () => {
    expect(quantile(0.95, of({}))).toBeNull();
    // All 100 values are in the bucket from 30 to 100 ms: rank 95 of 100.
    expect(quantile(0.95, of({ 100: 100 }))).toBe(97);
    expect(quantile(0.95, of({ 10: 90, 1000: 10 }))).toBe(650);
    expect(quantile(0.95, of({ 10: 95, 1000: 5 }))).toBe(10);
    expect(quantile(0.95, of({ 10: 1 }, 99))).toBe(3e8);
  });

  it('has a mean, or nothing if there are no values', () => {
    expect(timed(0, of({}))).toEqual({ mean: null, p95: null });
    expect(timed(300, of({ 100: 4 }))).toMatchObject({ mean: 75 });
  });
});
