import { describe, expect, it } from '@jest/globals';
import { TaskApiError } from '../../../../src/client/index.js';
import { REFUSED_FOR, Refusals } from '../../../../src/client/worker/refusals.js';
import { until } from '../../../support/until.js';
import { answer } from '../fixtures/flaky.js';
import { claimed, queue, worker } from '../fixtures/told.js';

const refusal = (httpStatus: number, code = 10001): TaskApiError => new TaskApiError('no', { httpStatus, code });
const LIMIT = REFUSED_FOR * 1000;

describe('a claim that fails', () => {
  it.each([
    [401, 10001],
    [403, 10001],
    [430, 10001],
    [400, 14004],
    [404, 0],
    [302, 0],
  ])('ends a worker that has not worked yet: HTTP %d, code %d', (httpStatus, code) => {
    expect(new Refusals().isFinal(refusal(httpStatus, code), 0)).toBe(true);
  });

  it.each([
    [401, 10001, false],
    [403, 10001, false],
    [430, 10001, false],
    [400, 14004, true],
    [404, 14001, true],
    [404, 0, false],
    [302, 0, false],
    [500, 14012, false],
    [503, 14011, false],
    [0, 0, false],
  ])('of one that has: HTTP %d, code %d: %p', (httpStatus, code, final) => {
    const refusals = new Refusals();
    refusals.answered();
    expect(refusals.isFinal(refusal(httpStatus, code), 0)).toBe(final);
  });

  it('ends it after all where it is refused for five minutes in a row', () => {
    const refusals = new Refusals();
    refusals.answered();
    expect([0, 1, LIMIT - 1, LIMIT].map((now) => refusals.isFinal(refusal(430), now))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it.each<[string, (refusals: Refusals) => void]>([
    ['an answer', (refusals) => refusals.answered()],
    ['another failure', (refusals) => void refusals.isFinal(refusal(503, 14011), LIMIT - 1)],
  ])('%s begins the five minutes anew', (_, between) => {
    const refusals = new Refusals();
    refusals.answered();
    refusals.isFinal(refusal(401), 0);
    between(refusals);
    expect(refusals.isFinal(refusal(401), LIMIT)).toBe(false);
    expect(refusals.isFinal(refusal(401), 2 * LIMIT)).toBe(true);
  });

  it('is not told of time that it did not fail', () => {
    expect(new Refusals().isFinal(new Error('bug'), 0)).toBe(false);
  });
});

it.each([401, 403, 430])('a worker outlives a few answers of %d, and tells of them once', async (status) => {
  const [task, no] = [answer(claimed(1)), answer({ code: 10001, msg: 'invalid token' }, status)];
  const server = await queue([task, no, no, no, task]);
  const told: string[] = [];
  const one = worker(server);
  for (const name of ['finished', 'unreachable', 'reachable'] as const) one.on(name, () => told.push(name));
  const run = one.run();
  await until('two ends', () => told.filter((name) => name === 'finished').length === 2);
  await one.close();
  await run;
  server.close();
  expect(told).toEqual(['finished', 'unreachable', 'reachable', 'finished']);
});
