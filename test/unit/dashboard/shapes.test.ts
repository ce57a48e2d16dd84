import { describe, expect, it } from '@jest/globals';
import {
  areaPath,
  type ChartPoint,
  linePath,
  nearestPoint,
  stackedBars,
  topOf,
} from '../../../src/dashboard/app/components/chart-shape.js';
import { ROW, visibleRows } from '../../../src/dashboard/app/components/visible-rows.js';

const points = (...values: (number | null)[]): ChartPoint[] =>
  values.map((a, index) => ({ time: `2026-01-01T00:0${index}:00Z`, values: { a, b: 10 } }));

describe('shapes of charts', () => {
  it('draw a line with gaps where nothing is known', () =>
    expect(linePath(points(0, 5, null, 10, 10), 'a', 10)).toBe('M0 100L250 50M750 0L1000 0'));

  it('draw an area to the ground', () =>
    expect(areaPath(points(0, 10), 'a', 10)).toBe('M0 100L0 100L1000 0L1000 100Z'));

  it('stack bars', () => {
    expect(topOf(points(0, 30), ['a', 'b'], true)).toBe(40);
    expect(topOf(points(0, 30), ['a', 'b'], false)).toBe(30);
    expect(stackedBars(points(30), ['a', 'b'], 40)).toEqual([
      { key: 'a', x: 100, y: 25, width: 800, height: 75 },
      { key: 'b', x: 100, y: 0, width: 800, height: 25 },
    ]);
  });

  it('divide by nothing nowhere', () => {
    expect(linePath([], 'a', 0)).toBe('');
    expect(areaPath([], 'a', 0)).toBe('');
    expect(linePath(points(0), 'a', 0)).toBe('M500 100h0');
    expect(stackedBars(points(0), ['a'], 0)).toEqual([]);
  });

  it('find the point below the pointer', () => {
    expect([0, 0.5, 0.99, 1.2].map((place) => nearestPoint(place, 3, false))).toEqual([0, 1, 2, 2]);
    expect([0, 0.4, 0.99, -1].map((place) => nearestPoint(place, 3, true))).toEqual([0, 1, 2, 0]);
  });
});

describe('the rows in sight', () => {
  it('are few of many, with the room of the others', () => {
    const { first, end, before, after } = visibleRows(100_000, 50_000 * ROW, 600);
    expect([first, end]).toEqual([49_988, 50_029]);
    expect(before + (end - first) * ROW + after).toBe(100_000 * ROW);
  });

  it('are all of few, and none of none', () => {
    expect(visibleRows(3, 0, 600)).toEqual({ first: 0, end: 3, before: 0, after: 0 });
    expect(visibleRows(0, 0, 600)).toEqual({ first: 0, end: 0, before: 0, after: 0 });
  });

  it('are there after the list has become shorter than its place', () =>
    expect(visibleRows(5, 9000, 600)).toMatchObject({ end: 5 }));
});
