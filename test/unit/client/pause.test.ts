import { describe, expect, it } from '@jest/globals';
import { backoff } from '../../../src/client/pause.js';

/** The least and the most of many. */
function range(failures: number, retryAfter?: number, longest?: number): [number, number] {
  const all = Array.from({ length: 2000 }, () => backoff(failures, retryAfter, longest));
  return [Math.min(...all), Math.max(...all)];
}
const between = ([least, most]: [number, number], from: number, to: number): void => {
  expect(least).toBeGreaterThanOrEqual(from);
  expect(most).toBeLessThanOrEqual(to);
  // All of it is used.
  expect(least).toBeLessThan(from + (to - from) * 0.1);
  expect(most).toBeGreaterThan(to - (to - from) * 0.1);
};

describe('the back-off', () => {
  it.each([
    [1, 200],
    [2, 400],
    [3, 800],
    [6, 6400],
  ])('after failure %d is between half of %d ms and the whole', (failures, most) => {
    between(range(failures), most / 2, most);
  });

  it.each([7, 20, 1000, 10_000])('after failure %d is ten seconds at most', (failures) => {
    between(range(failures), 5000, 10_000);
  });

  it('is no less than the server asks for, and up to a tenth more', () => {
    between(range(1, 5), 5000, 5500);
    between(range(20, 1), 5000, 10_000);
  });

  it('heeds thirty seconds of what the server asks for, or as much as it may', () => {
    between(range(1, 3600), 30_000, 33_000);
    between(range(1, 3600, 500), 500, 550);
    between(range(20, undefined, 500), 250, 500);
  });
});
