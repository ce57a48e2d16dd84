import { describe, expect, it } from '@jest/globals';
import { TaskApiError } from '../../../../src/client/index.js';
import { until } from '../../../support/until.js';
import { answer, flaky } from '../fixtures/flaky.js';
import { claimed, queue, reportsIn, worker } from '../fixtures/told.js';

describe('TaskWorker and a server that is told what to say', () => {
  it('claims as many as it has places, under a key that stays until the answer has come', async () => {
    let polls = 0;
    const server = await flaky((response, { method, body }) => {
      if (method === 'PUT')
        return answer({ list: body.reports.map(({ taskId }: any) => ({ taskId, status: 1 })) })(response, null!);
      polls += 1;
      if (polls === 1) return void response.destroy();
      return answer(polls === 2 ? claimed(3) : { list: [] })(response, null!);
    });
    const one = worker(server, { concurrency: 5, handler: () => new Promise(() => undefined) });
    const run = one.run();
    await until('three claims', () => polls >= 3);
    await one.close({ timeout: 0 });
    await run;
    server.close();
    const claims = server.heard.filter(({ method }) => method === 'POST');
    expect(claims.map(({ body }) => body.limit).slice(0, 3)).toEqual([5, 5, 2]);
    const keys = claims.map(({ headers }) => headers['idempotency-key']);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
    expect(claims[0]!.body).toMatchObject({ lease: 60, wait: 1, workerId: one.workerId });
  });

  it.each([25, 0])('asks for what a claim that it gives up has taken, and gives it back: %d s', async (timeout) => {
    const server = await flaky((response, { method, body }) => {
      if (method === 'PUT')
        return answer({ list: body.reports.map(({ taskId }: any) => ({ taskId, status: 1 })) })(response, null!);
      // The answer to the poll never comes; what it took is told to who withdraws it, by its key.
      if (body.limit === 0) setTimeout(() => answer(claimed(2))(response, null!), 30);
    });
    const one = worker(server, { concurrency: 2 });
    const run = one.run();
    await until('a claim', () => server.heard.length === 1);
    await one.close({ timeout });
    await run;
    server.close();
    const [poll, question, reports] = server.heard;
    expect(question!.headers['idempotency-key']).toBe(poll!.headers['idempotency-key']);
    expect(question!.body).toMatchObject({ wait: 0, limit: 0 });
    expect(reports!.body.reports).toEqual(
      [0, 1].map((n) => ({ taskId: `task-${n}`, leaseToken: `token-${n}`, status: 10 })),
    );
    expect(server.heard).toHaveLength(3);
  });

  it('reports in one request on tasks that end together, and says progress at most every half second, the newest', async () => {
    const server = await queue([answer(claimed(40))]);
    const one = worker(server, {
      concurrency: 40,
      handler: async ({ progress }) => {
        for (let percent = 1; percent <= 50; percent++) {
          progress(percent, `at ${percent}`);
          await new Promise((resolve) => setTimeout(resolve, 13));
        }
        return 'out';
      },
    });
    const start = performance.now();
    const run = one.run();
    const ends = () => reportsIn(server).flatMap(({ body }) => body.reports.filter((r: any) => r.status === 30));
    await until('all ended', () => ends().length === 40);
    const halfSeconds = (performance.now() - start) / 500;
    await one.close();
    await run;
    server.close();
    const all = reportsIn(server).flatMap(({ body }) => body.reports);
    const ofOne = all.filter(({ taskId }: any) => taskId === 'task-7');
    expect(ofOne[0]).toMatchObject({ progress: 1, temp: 'at 1' });
    expect(ofOne.at(-1)).toEqual({
      taskId: 'task-7',
      leaseToken: 'token-7',
      status: 30,
      output: 'out',
      progress: 50,
      temp: 'at 50',
    });
    // The first, one each half second, and the end.
    expect(ofOne.length).toBeLessThanOrEqual(2 + halfSeconds);
    // 40 tasks, each with three reports or more.
    expect(reportsIn(server).length).toBeLessThan(all.length / 2);
  });

  it('sends a last word until it is answered, whatever stands in between', async () => {
    const trouble = [
      answer('<html>bad gateway</html>', 502),
      (response: any) => response.destroy(),
      answer({ code: 14012, msg: 'internal error' }, 500),
      answer({ list: [{ taskId: 'task-0', status: 0, data: { code: 14011, msg: 'temporarily unavailable' } }] }),
      answer({ list: [{ taskId: 'task-0', status: 0, data: { code: 14012, msg: 'internal error' } }] }),
      answer({ list: [{ taskId: 'task-0', status: 1, data: {} }] }),
    ];
    let reports = 0;
    const server = await queue([answer(claimed(1))], (...asked) => trouble[reports++]!(...asked));
    const lines: string[] = [];
    const one = worker(server, { log: (level, message) => lines.push(`${level}: ${message}`) });
    const finished = new Promise((resolve) => one.on('finished', resolve));
    const run = one.run();
    expect(await finished).toMatchObject({ task: { taskId: 'task-0' }, output: 'out' });
    await one.close();
    await run;
    server.close();
    expect(reports).toBe(trouble.length);
    expect(lines).toEqual([
      'debug: task-0 started',
      expect.stringMatching(/^warn: the queue can't be reached, retrying: PUT \/api\/crontask: HTTP 502/),
      'info: the queue can be reached again',
      'info: task-0 finished',
    ]);
  });

  it('may be closed before it runs, and leaves no timer', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const one = worker({ url: 'http://127.0.0.1:1' });
    await one.close();
    await one.run();
    expect(timers()).toBe(before);
  });

  it('waits for its handlers for as long as it is told, be it for ever', async () => {
    const server = await queue([answer(claimed(1))]);
    const one = worker(server, {
      handler: ({ signal }) => new Promise((resolve) => setTimeout(() => resolve(`${signal.aborted}`), 300)),
    });
    one.on('started', () => void one.close({ timeout: Infinity }));
    const outputs: unknown[] = [];
    one.on('finished', ({ output }) => outputs.push(output));
    await one.run();
    server.close();
    expect(outputs).toEqual(['false']);
  });

  it('ends with the reason where it is refused, and waits where nobody is there', async () => {
    const server = await flaky(answer({ code: 10001, msg: 'invalid token' }, 430));
    await expect(worker(server).run()).rejects.toMatchObject({ code: 10001, httpStatus: 430 });
    server.close();
    const alone = worker(server);
    const unreachable = new Promise<{ error: Error }>((resolve) => alone.on('unreachable', resolve));
    const run = alone.run();
    expect((await unreachable).error).toBeInstanceOf(TaskApiError);
    await alone.close();
    await run;
  });

  it('asks now and then, not at once, where nothing is answered at once', async () => {
    const server = await flaky(answer({ list: [] }));
    const one = worker(server);
    const run = one.run();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await one.close();
    await run;
    server.close();
    expect(server.heard.length).toBeLessThan(6);
  });

  it.each([
    [{ concurrency: 0 }, 'concurrency must be an integer from 1 to 1000, not 0'],
    [{ concurrency: 1.5 }, 'concurrency must be an integer from 1 to 1000, not 1.5'],
    [{ lease: 1 }, 'lease must be an integer from 3 to 86400, not 1'],
    [{ lease: 6, heartbeat: 4 }, 'heartbeat must be at most half of the lease, 3 s'],
    [{ handler: 'no' as never }, 'handler must be a function'],
    [{ baseUrl: '' }, 'baseUrl must be an http:// or https:// URL, not ""'],
  ])('%j is refused: %s', (options, message) => {
    expect(() => worker({ url: 'http://127.0.0.1:1' }, options)).toThrow(message);
  });

  it('runs once', async () => {
    const one = worker({ url: 'http://127.0.0.1:1' });
    const run = one.run();
    await expect(one.run()).rejects.toThrow('is running or has run');
    await one.close();
    await run;
  });
});
