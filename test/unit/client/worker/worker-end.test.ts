import { describe, expect, it } from '@jest/globals';
import { RetryLater, type TaskWorker, UnrecoverableError } from '../../../../src/client/index.js';
import { until } from '../../../support/until.js';
import { answer } from '../fixtures/flaky.js';
import { claimed, queue, reportsIn, worker } from '../fixtures/told.js';

const ENDS = ['finished', 'failed', 'released', 'refused', 'lost'] as const;
const never = (): Promise<never> => new Promise(() => undefined);

/** Names of the events that tell of ends, as they come. */
function endsOf(one: TaskWorker): string[] {
  const told: string[] = [];
  for (const name of ENDS) one.on(name, () => told.push(name));
  return told;
}

describe('what a handler throws at shutdown', () => {
  it.each<[string, Error, object, string]>([
    [
      'UnrecoverableError',
      new UnrecoverableError('no codec'),
      { status: -10, error: 'no codec', retry: false },
      'failed',
    ],
    ['RetryLater', new RetryLater(7, 'busy'), { status: -10, error: 'busy', retry: true, delay: 7 }, 'failed'],
    ['any other error', new Error('interrupted'), { status: 10 }, 'released'],
  ])('%s, is reported as what it is', async (_, error, report, event) => {
    const server = await queue([answer(claimed(1))]);
    const one = worker(server, {
      handler: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(error))),
    });
    const told = endsOf(one);
    one.on('started', () => void one.close({ timeout: 0 }));
    await one.run();
    server.close();
    expect(told).toEqual([event]);
    expect(reportsIn(server).at(-1)!.body.reports).toEqual([{ taskId: 'task-0', leaseToken: 'token-0', ...report }]);
  });
});

describe('close()', () => {
  it.each([
    [30, 0.2],
    [0.2, 30],
  ])('called twice, heeds the earliest end: %d s, then %d s', async (...timeouts) => {
    const server = await queue([answer(claimed(1))]);
    const one = worker(server, { handler: never });
    const told = endsOf(one);
    const started = new Promise((resolve) => one.on('started', resolve));
    const run = one.run();
    await started;
    const before = performance.now();
    await Promise.all(timeouts.map((timeout) => one.close({ timeout })));
    await run;
    expect(performance.now() - before).toBeLessThan(15_000);
    server.close();
    expect(told).toEqual(['released']);
  });

  it('ends run(), though token() never answers', async () => {
    const one = worker({ url: 'http://127.0.0.1:1' }, { token: never });
    const run = one.run();
    const before = performance.now();
    await one.close();
    await run;
    expect(performance.now() - before).toBeLessThan(15_000);
  });

  it('leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const one = worker({ url: 'http://127.0.0.1:1' });
    const run = one.run();
    await one.close({ timeout: 60 });
    await one.close({ timeout: 30 });
    await run;
    expect(timers()).toBe(before);
  });
});

describe('an output that is no JSON', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;

  it.each([
    ['a BigInt', 1n, /^the output is no JSON: TypeError: .*BigInt/],
    ['a circle', { circular }, /^the output is no JSON: TypeError: .*circular/],
  ])('%s, fails for good', async (_, output, error) => {
    const server = await queue([answer(claimed(1))]);
    const one = worker(server, { handler: () => output });
    const failed = new Promise((resolve) => one.on('failed', resolve));
    const run = one.run();
    expect(await failed).toMatchObject({ retry: false });
    await one.close();
    await run;
    server.close();
    const [report] = reportsIn(server).at(-1)!.body.reports;
    expect(report).toMatchObject({ status: -10, retry: false, error: expect.stringMatching(error) });
  });
});

it('a last word that is refused is sent again only where a checkpoint went along', async () => {
  for (const [temp, times] of [
    [undefined, 1],
    ['frame 7', 2],
  ] as const) {
    const refused = { code: 14008, msg: 'too large' };
    const server = await queue([answer(claimed(1))], (response, request) => {
      const [{ taskId, status }] = request.body.reports;
      answer({ list: [status === 30 ? { taskId, status: 0, data: refused } : { taskId, status: 1, data: {} }] })(
        response,
        request,
      );
    });
    const one = worker(server, {
      handler: async ({ progress }) => {
        // The first word leaves at once, the second one with the last.
        progress(1);
        progress(2, temp);
        return 'out';
      },
    });
    const told = endsOf(one);
    const run = one.run();
    await until('an end', () => told.includes('failed'));
    await one.close();
    await run;
    server.close();
    expect(told).toEqual(['refused', 'failed']);
    const ends = reportsIn(server).filter(({ body }) => body.reports[0].status === 30);
    expect(ends).toHaveLength(times);
  }
});

it.each<[string, unknown]>([
  ['null', null],
  ['a number', 7],
  ['an object', { frame: 7 }],
])('progress() throws at its caller where temp is %s', async (_, temp) => {
  const server = await queue([answer(claimed(1))]);
  const thrown: unknown[] = [];
  const one = worker(server, {
    handler: ({ progress }) => {
      try {
        progress(50, temp as string);
      } catch (error) {
        thrown.push(error);
      }
      return 'out';
    },
  });
  const told = endsOf(one);
  const run = one.run();
  await until('an end', () => told.length > 0);
  await one.close();
  await run;
  server.close();
  expect(thrown).toEqual([expect.any(TypeError)]);
  expect(String(thrown[0])).toMatch(/^TypeError: progress takes temp as a string, not (null|number|object)$/);
  expect(told).toEqual(['finished']);
});
