import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  RetryLater,
  STATUS,
  TaskClient,
  type TaskContext,
  TaskStopped,
  TaskWorker,
  type TaskWorkerOptions,
  UnrecoverableError,
  type WorkerTask,
} from '../../../../src/client/index.js';
import { BOUNDS } from '../../../../src/validation/rules.js';
import { type Host, spread, startHost, WORKER_TOKEN } from '../../../support/host.js';
import { until } from '../../../support/until.js';

type Handler = TaskWorkerOptions['handler'];
type Context = TaskContext<WorkerTask>;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(spread(import.meta))('TaskWorker, on $engine with $adapter', ({ engine, adapter }) => {
  let host: Host;
  let user: TaskClient;
  let services = 0;
  let workers: TaskWorker[] = [];
  let runs: Promise<void>[] = [];
  beforeAll(async () => {
    host = await startHost({ engine, adapter, options: { backoff: { base: 1, jitter: 0 } } });
    user = new TaskClient({ baseUrl: host.url, headers: { 'x-user': 'alice' } });
  });
  afterAll(async () => {
    // A poll that was given up before it was sent leaves a connection without a request: Fastify would wait for one.
    host?.app.getHttpServer().closeAllConnections();
    await host?.close();
  });

  /** A worker of a service of its own, running. */
  function work(handler: Handler, options: Partial<TaskWorkerOptions> = {}): { service: string; worker: TaskWorker } {
    const service = options.service ?? `service-${++services}`;
    const worker = new TaskWorker({ baseUrl: host.url, token: WORKER_TOKEN, wait: 2, service, handler, ...options });
    workers.push(worker);
    runs.push(worker.run());
    return { service, worker };
  }
  const closeAll = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.close({ timeout: 1 })));
    await Promise.all(runs);
    [workers, runs] = [[], []];
  };
  const create = (service: string, more: object = {}) =>
    user.create({ input: 'in', service, status: STATUS.BEGIN, ...more });
  /** Has one task worked by this handler; answers the task at its end. */
  async function run(handler: Handler, more: object = {}, options: Partial<TaskWorkerOptions> = {}) {
    const { service } = work(handler, options);
    const { taskId } = await create(service, more);
    const task = await user.waitFor(taskId, { timeout: 120, interval: 0.2 });
    await closeAll();
    return task;
  }

  it('hands the task over, and its output back', async () => {
    const task = await run(
      ({ task, checkpoint, progress }) => {
        progress(30, 'half');
        return { input: task.input, args: JSON.parse(task.args), attempt: task.attempt, checkpoint };
      },
      { args: '{"height":720}' },
    );
    expect(task).toMatchObject({ status: STATUS.FINISHED, progress: 100, temp: 'half', error: null });
    expect(JSON.parse(task.output)).toEqual({ input: 'in', args: { height: 720 }, attempt: 1, checkpoint: '' });
  });

  it('tries again what threw, from its checkpoint', async () => {
    const seen: string[] = [];
    const task = await run(({ task, checkpoint, progress }) => {
      seen.push(checkpoint);
      progress(50, `after ${task.attempt}`);
      if (task.attempt === 1) throw new TypeError('out of memory');
      return undefined;
    });
    expect(seen).toEqual(['', 'after 1']);
    expect(task).toMatchObject({ status: STATUS.FINISHED, attempt: 2, output: '' });
  });

  it('says why it failed, and fails for good when attempts are used up', async () => {
    const task = await run(() => Promise.reject(new RangeError('frame 7')), { maxAttempts: 1 });
    expect(task).toMatchObject({ status: STATUS.ERROR, error: expect.any(String), attempt: 1 });
    expect(task.error).toMatch(/^RangeError: frame 7\n +at .*worker\.test/);
  });

  it('does not try again an UnrecoverableError', async () => {
    const task = await run(() => {
      throw new UnrecoverableError('no such codec');
    });
    expect(task).toMatchObject({ status: STATUS.ERROR, error: 'no such codec', attempt: 1 });
  });

  it('tries again after as long as RetryLater says', async () => {
    const times: number[] = [];
    const task = await run(({ task }) => {
      times.push(performance.now());
      if (task.attempt === 1) throw new RetryLater(2, 'the API is busy');
    });
    expect(task).toMatchObject({ status: STATUS.FINISHED, attempt: 2 });
    // The back-off would have been one second.
    expect(times[1]! - times[0]!).toBeGreaterThan(1800);
  });

  it('works so many at once as it may, and no more', async () => {
    let [now, most] = [0, 0];
    const { service } = work(
      async () => {
        most = Math.max(most, ++now);
        await pause(50);
        now -= 1;
      },
      { concurrency: 4 },
    );
    const tasks = await user.createMany(Array.from({ length: 20 }, () => ({ input: 'x', service, status: 10 })));
    for (const { taskId } of tasks) await user.waitFor(taskId, { timeout: 120, interval: 0.2 });
    expect(most).toBe(4);
    await closeAll();
  });

  it('tells a handler to stop when its task is cancelled: with its next report', async () => {
    let context: Context | undefined;
    const { service, worker } = work(async (given) => {
      context = given;
      for (let step = 1; !given.signal.aborted; step++) {
        given.progress(step % 100, `step ${step}`);
        await pause(50);
      }
      return 'too late';
    });
    const lost: unknown[] = [];
    worker.on('lost', ({ task, reason }) => lost.push([task.taskId, reason]));
    const { taskId } = await create(service);
    await until('it runs', async () => (await user.get(taskId)).progress > 0);
    await user.cancel(taskId);
    await until('the signal', () => context!.signal.aborted);
    expect(context!.signal.reason).toBeInstanceOf(TaskStopped);
    expect(context!.signal.reason).toMatchObject({ reason: 'cancelled', message: 'the task was cancelled' });
    await closeAll();
    expect(lost).toEqual([[taskId, 'cancelled']]);
    expect(await user.get(taskId)).toMatchObject({ status: STATUS.CANCELLED, output: '' });
  });

  it('tells a silent one within a heartbeat, and holds its lease meanwhile', async () => {
    let signal: AbortSignal | undefined;
    const { service } = work(
      async (given) => {
        signal = given.signal;
        await new Promise((resolve) => signal!.addEventListener('abort', resolve));
      },
      { lease: 3 },
    );
    const { taskId } = await create(service);
    await until('it runs', () => signal);
    // More than a lease, and the sweeper's second.
    await pause(5000);
    expect(await user.get(taskId)).toMatchObject({ status: STATUS.START, attempt: 1 });
    await user.cancel(taskId);
    await until('the signal', () => signal!.aborted);
    expect(signal!.reason).toMatchObject({ reason: 'cancelled' });
    await closeAll();
  });

  it('gives back at its end what is not done, with its checkpoint, as no attempt', async () => {
    const reasons: unknown[] = [];
    const { service, worker } = work(
      async ({ task, progress, signal }) => {
        progress(10, 'seen');
        progress(40, `by ${task.input}`);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reasons.push((signal.reason as TaskStopped).reason);
        // One heeds the signal, the other doesn't.
        if (task.input === 'deaf') await pause(3000);
        throw signal.reason;
      },
      { concurrency: 2 },
    );
    const made = [await create(service, { input: 'keen' }), await create(service, { input: 'deaf' })];
    const released: string[] = [];
    worker.on('released', ({ task }) => released.push(task.input));
    await until('both run', async () =>
      (await Promise.all(made.map(({ taskId }) => user.get(taskId)))).every(({ progress }) => progress > 0),
    );
    const before = performance.now();
    await closeAll();
    expect(performance.now() - before).toBeLessThan(15_000);
    expect(reasons).toEqual(['shutdown', 'shutdown']);
    expect(released.sort()).toEqual(['deaf', 'keen']);
    for (const { taskId, input } of made)
      expect(await user.get(taskId)).toMatchObject({ status: 10, attempt: 0, progress: 40, temp: `by ${input}` });
  });

  it('lets handlers finish at its end, and claims no more', async () => {
    let started = 0;
    const { service } = work(async () => {
      started += 1;
      await pause(500);
      return 'done';
    });
    const [first, second] = [await create(service), await create(service)];
    await until('the first one runs', () => started === 1);
    await closeAll();
    expect(await user.get(first.taskId)).toMatchObject({ status: STATUS.FINISHED, output: 'done' });
    expect(await user.get(second.taskId)).toMatchObject({ status: 10, attempt: 0 });
  });

  it('fails a task whose output the server refuses, and says so', async () => {
    const refused: Error[] = [];
    const { service, worker } = work(() => 'x'.repeat(BOUNDS.textBytes + 1));
    worker.on('refused', ({ error }) => refused.push(error));
    const { taskId } = await create(service);
    const task = await user.waitFor(taskId, { timeout: 120 });
    await closeAll();
    expect(task).toMatchObject({
      status: STATUS.ERROR,
      error: expect.stringMatching(/result was refused: .*too large \(output must be .* \[output: maxBytes\]\)$/),
    });
    expect(refused).toHaveLength(1);
  });
});
