import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CALLBACK_RETRY, pauseAfterTry, retryAfterSeconds } from '../../../../src/callbacks/delivery/callback-retry.js';
import { resolveValues } from '../../../../src/options/task.options.js';

const MINUTE = 60;
const HOUR = 3600;
const PLAN = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

describe('tries', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('are made after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, and up to a fifth later at random', () => {
    const by = (random: number): (number | undefined)[] => {
      jest.spyOn(Math, 'random').mockReturnValue(random);
      return [...PLAN, 0].map((_, index) => pauseAfterTry(index + 1, CALLBACK_RETRY));
    };
    expect(by(0)).toEqual([...PLAN, undefined]);
    expect(by(0.5)).toEqual([...PLAN.map((seconds) => expect.closeTo(seconds * 1.1, 2)), undefined]);
    expect(by(0.99999)[8]).toBeCloseTo(24 * HOUR * 1.2, 0);
  });

  it('are put off as a receiver wishes, no sooner than planned and no later than in a day', () => {
    const retry = { delays: [10], jitter: 0 };
    expect([0, 9, 11, HOUR, 90_000, Infinity].map((wish) => pauseAfterTry(1, retry, wish))).toEqual([
      10,
      10,
      11,
      HOUR,
      86_400,
      86_400,
    ]);
  });

  it('may take 15 s, unless told otherwise', () => {
    expect(resolveValues({})).toMatchObject({ callbackTimeout: 15, callbackRetention: 30, callbackRetry: {} });
  });
});

describe('Retry-After', () => {
  afterEach(() => void jest.restoreAllMocks());

  const NOW = Date.UTC(1994, 10, 6, 8, 49, 0);

  it.each([
    ['120', 120],
    [' 7 ', 7],
    ['99999999999999', 99_999_999_999_999],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 37],
    ['  sun, 06 nov 1994 08:49:37 gmt ', 37],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 37],
    // The oldest form has no zone, and means GMT: RFC 9110, 5.6.7.
    ['Sun Nov  6 08:49:37 1994', 37],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['-5', 0],
    ['1.5', 0],
    ['1994-11-06', 0],
    ['soon', 0],
    [undefined, 0],
    [['1'], 0],
  ])('%j is %d s', (header, seconds) => {
    expect(retryAfterSeconds(header, NOW)).toBe(seconds);
  });
});
