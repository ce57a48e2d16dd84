import { describe, expect, it } from '@jest/globals';
import { RetryLater } from '../../../../src/client/index.js';
import { until } from '../../../support/until.js';
import { answer, type Reply } from '../fixtures/flaky.js';
import { claimed, queue, reportsIn, taken, worker } from '../fixtures/told.js';

describe('TaskWorker in trouble', () => {
  it.each<[string, Reply]>([
    ["a proxy's bare 404", (response) => response.writeHead(404).end('404 page not found')],
    ["a proxy's bare 403", (response) => response.writeHead(403).end('<html>forbidden</html>')],
    ['a page of HTML', (response) => response.writeHead(200).end('<html>soon back</html>')],
    ['a bare 400', (response) => response.writeHead(400).end()],
    ["a guard's bad moment", answer({ code: 10001, msg: 'invalid token' }, 430)],
  ])('a finished task does not fail of %s: it is said again', async (_, trouble) => {
    let reports = 0;
    const server = await queue([answer(claimed(1))], (...asked) => (reports++ === 0 ? trouble : taken)(...asked));
    const one = worker(server);
    const told: string[] = [];
    for (const name of ['finished', 'failed', 'refused'] as const) one.on(name, () => told.push(name));
    const run = one.run();
    await until('an end', () => told.length > 0);
    await one.close();
    await run;
    server.close();
    expect(told).toEqual(['finished']);
    expect(reportsIn(server).map(({ body }) => body.reports[0].status)).toEqual([30, 30]);
  });

  it.each([
    ['said before the last word', ['good', 'bad']],
    ['that waits as the last word comes', ['bad']],
  ])('a checkpoint that breaks a rule takes neither the result nor the task with it: one %s', async (_, temps) => {
    const server = await queue([answer(claimed(1))], (response, request) =>
      answer({
        list: request.body.reports.map(({ taskId, temp }: any) =>
          temp === 'bad'
            ? { taskId, status: 0, data: { code: 14008, msg: 'too large' } }
            : { taskId, status: 1, data: {} },
        ),
      })(response, request),
    );
    const one = worker(server, {
      handler: ({ progress }) => {
        for (const temp of temps) progress(99, temp);
        return 'out';
      },
    });
    const told: string[] = [];
    for (const name of ['finished', 'failed', 'refused'] as const) one.on(name, () => told.push(name));
    const run = one.run();
    await until('an end', () => told.includes('finished') || told.includes('failed'));
    await one.close();
    await run;
    server.close();
    expect(told).toEqual(['refused', 'finished']);
    const [last] = reportsIn(server).at(-1)!.body.reports;
    expect(last).toMatchObject({ taskId: 'task-0', leaseToken: 'token-0', status: 30, output: 'out' });
    expect(last).not.toHaveProperty('temp');
  });

  it('a task that can not be given back has not failed: its lease runs out', async () => {
    const server = await queue([answer(claimed(1))], (response, request) => {
      const status = request.body.reports[0].status === 10 ? 400 : 500;
      answer({ code: 14004, msg: 'invalid parameter' }, status)(response, request);
    });
    const one = worker(server, { handler: () => new Promise(() => undefined) });
    const told: string[] = [];
    one.on('started', () => void one.close({ timeout: 0 }));
    for (const name of ['released', 'failed', 'refused'] as const) one.on(name, () => told.push(name));
    await one.run();
    server.close();
    expect(told).toEqual(['refused']);
    expect(new Set(reportsIn(server).map(({ body }) => body.reports[0].status))).toEqual(new Set([10]));
  });

  it('one report that breaks the request of many spoils no other', async () => {
    const server = await queue([answer(claimed(3))], (response, request) => {
      const tooLarge = request.body.reports.some(({ taskId, error }: any) => taskId === 'task-1' && !error);
      (tooLarge ? answer({ code: 14008, msg: 'too large' }, 413) : taken)(response, request);
    });
    const one = worker(server, { concurrency: 3 });
    const told: string[] = [];
    one.on('finished', ({ task }) => told.push(`finished ${task.taskId}`));
    one.on('failed', ({ task, retry }) => told.push(`failed ${task.taskId} ${retry}`));
    const run = one.run();
    await until('three ends', () => told.length === 3);
    await one.close();
    await run;
    server.close();
    expect(told.sort()).toEqual(['failed task-1 false', 'finished task-0', 'finished task-2']);
  });

  it('rests no longer than its lease allows, and hardly at its end, whatever the server asks for', async () => {
    for (const [lease, closing] of [
      [6, false],
      [60, true],
    ] as const) {
      let reports = 0;
      const later = answer({ code: 14011, msg: 'temporarily unavailable' }, 503, { 'Retry-After': '3600' });
      const server = await queue([answer(claimed(1))], (...asked) => (reports++ === 0 ? later : taken)(...asked));
      const one = worker(server, { lease });
      const finished = new Promise((resolve) => one.on('finished', resolve));
      const run = one.run();
      await until('a report', () => reports > 0);
      if (!closing) await finished;
      await one.close();
      await run;
      await finished;
      const [first, second] = reportsIn(server);
      expect(second!.at - first!.at).toBeLessThan(lease * 800);
      server.close();
    }
  });

  it.each<[string, () => unknown, string]>([
    ['an error whose message is an object', () => Object.assign(new Error(), { message: {} }), '[object Object]'],
    ['an object without a prototype', () => Object.create(null), 'something without a text was thrown'],
    [
      'a text that throws',
      () => ({
        toString: () => {
          throw new Error('no');
        },
      }),
      'something without a text was thrown',
    ],
    ['nothing', () => undefined, 'undefined'],
    ['a RetryLater of ages', () => new RetryLater(1e300), 'try again in 1e+300 s'],
  ])('%s, thrown, is a failure like any other', async (_, thrown, error) => {
    const server = await queue([answer(claimed(1))]);
    const one = worker(server, { handler: () => Promise.reject(thrown() as Error), log: () => undefined });
    const failed = new Promise((resolve) => one.on('failed', resolve));
    const run = one.run();
    expect(await failed).toMatchObject({ retry: true });
    await one.close();
    await run;
    server.close();
    const [report] = reportsIn(server).at(-1)!.body.reports;
    expect(report).toMatchObject({ status: -10, retry: true });
    expect(report.error.split('\n    at ')[0]).toBe(error);
    expect(report.delay ?? 0).toBeLessThanOrEqual(31_536_000);
  });

  it.each<[string, () => unknown, () => unknown]>([
    [
      'a listener that throws',
      () => {
        throw new Error('mine');
      },
      () => undefined,
    ],
    ['a listener that rejects', () => Promise.reject(new Error('mine')), () => undefined],
    [
      'a listener and a log that throw',
      () => {
        throw new Error('mine');
      },
      () => {
        throw new Error('the log is full');
      },
    ],
    [
      'a listener and a log that reject',
      () => Promise.reject(new Error('mine')),
      () => Promise.reject(new Error('the log is full')),
    ],
  ])('%s, stops nothing', async (_, listener, log) => {
    const server = await queue([answer(claimed(1))]);
    const lines: string[] = [];
    const one = worker(server, {
      log: (_level, message) => {
        lines.push(message);
        return log() as void;
      },
    });
    one.on('started', () => listener() as void);
    const run = one.run();
    await until('finished', () => lines.includes('task-0 finished'));
    await one.close();
    await run;
    server.close();
    // A rejection that nobody heard would fail the test.
    expect(lines.map((line) => line.split('\n    at ')[0])).toContain("a listener of 'started' threw: Error: mine");
  });
});
