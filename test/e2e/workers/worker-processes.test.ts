import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { STATUS, TaskClient, type TaskWorkerOptions } from '../../../src/client/index.js';
import { userToken } from '../../../src/server/secrets.js';
import { freePort } from '../../support/free-port.js';
import { itInWhole, WORKER_TOKEN } from '../../support/host.js';
import { newFolder, startServer } from '../../support/server.js';
import { type ServerHere, serveHere } from '../../support/server-here.js';
import { until } from '../../support/until.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const FIXTURE = resolve(import.meta.dirname, '../../unit/client/fixtures/worker.mjs');
const ENVIRONMENT = { TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER_TOKEN };

interface Step {
  by: string;
  taskId: string;
  attempt: number;
  step: number;
}

describe('worker processes of the built client', () => {
  let server: ServerHere;
  let user: TaskClient;
  let workers: ChildProcess[] = [];
  const log = join(newFolder(), 'steps.jsonl');
  beforeAll(async () => {
    server = await serveHere(ENVIRONMENT);
    user = new TaskClient({ baseUrl: server.url, token: await userToken(SECRET, 'alice'), retries: 20 });
  });
  afterEach(() => {
    for (const child of workers) child.kill('SIGKILL');
    workers = [];
  });
  afterAll(() => server?.stop());

  function startWorker(workerId: string, options: Partial<TaskWorkerOptions>) {
    const settings = { baseUrl: server.url, token: WORKER_TOKEN, lease: 3, workerId, log, ...options };
    const child = spawn(process.execPath, [FIXTURE, JSON.stringify(settings)]);
    workers.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise<number | null>((end) => child.once('close', end));
    return {
      output: () => output,
      stop: (signal: NodeJS.Signals) => {
        child.kill(signal);
        return ended;
      },
    };
  }
  const steps = (taskId?: string): Step[] =>
    (existsSync(log) ? readFileSync(log, 'utf8') : '')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as Step)
      .filter((step) => taskId === undefined || step.taskId === taskId);
  const create = (service: string, args: object) =>
    user.create({ input: 'x', service, args: JSON.stringify(args), status: STATUS.BEGIN });

  it('a worker that is killed leaves its checkpoint: another goes on from there', async () => {
    const { taskId } = await create('killed', { steps: 20, pause: 100 });
    const first = startWorker('first', { service: 'killed' });
    await until('it is under way', async () => (await user.get(taskId)).progress >= 25);
    await first.stop('SIGKILL');
    const checkpoint = Number((await user.get(taskId)).temp);
    startWorker('second', { service: 'killed' });
    const task = await user.waitFor(taskId, { timeout: 120, interval: 0.2 });
    expect(task).toMatchObject({ status: STATUS.FINISHED, attempt: 2, output: 'by second' });
    const [firstOfSecond] = steps(taskId).filter(({ by }) => by === 'second');
    expect(checkpoint).toBeGreaterThanOrEqual(5);
    expect(firstOfSecond).toMatchObject({ attempt: 2, step: checkpoint + 1 });
  });

  it('a worker that is told to stop ends with 0, and gives back what it can not finish', async () => {
    const { taskId } = await create('stopped', { steps: 1000, pause: 50 });
    const first = startWorker('first', { service: 'stopped', shutdownTimeout: 0.5 });
    await until('it is under way', async () => (await user.get(taskId)).temp !== '');
    expect(await first.stop('SIGTERM')).toBe(0);
    expect(first.output()).toMatch(new RegExp(`info ${taskId} given back\nstopped\n$`));
    const task = await user.get(taskId);
    const last = steps(taskId).at(-1)!.step;
    expect(task).toMatchObject({ status: STATUS.BEGIN, attempt: 0 });
    // All but the step that was interrupted.
    expect(last - Number(task.temp)).toBeLessThanOrEqual(1);
    await user.cancel(taskId);
  });

  // Each takes processes of its own, and waits: in `npm run test:all`.
  itInWhole('a second signal, of either kind, ends the process', async () => {
    const { taskId } = await create('signalled', { steps: 200, pause: 50 });
    const first = startWorker('first', { service: 'signalled' });
    await until('it is under way', async () => (await user.get(taskId)).temp !== '');
    const ended = first.stop('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    void first.stop('SIGINT');
    // By the signal: there is no exit code.
    expect(await ended).toBeNull();
    await user.cancel(taskId);
  });

  itInWhole('a process that has handlers of its own is not closed by the worker', async () => {
    const { taskId } = await create('own', { steps: 200, pause: 50 });
    const first = startWorker('first', { service: 'own', handleSignals: false });
    await until('it is under way', async () => (await user.get(taskId)).temp !== '');
    // By the signal: there is no exit code, and nothing is given back.
    expect(await first.stop('SIGTERM')).toBeNull();
    expect(first.output()).not.toContain('given back');
    await user.cancel(taskId);
  });

  itInWhole('fifty tasks outlive a server that is killed: none runs twice, all end', async () => {
    const PORT = String(await freePort());
    const first = await startServer({ ...ENVIRONMENT, PORT });
    const { url: baseUrl } = first;
    const user = new TaskClient({ baseUrl, token: await userToken(SECRET, 'alice'), retries: 20 });
    const made = await user.createMany(
      Array.from({ length: 50 }, () => ({
        input: 'x',
        service: 'restart',
        args: JSON.stringify({ steps: 10, pause: 300 }),
        status: STATUS.BEGIN,
      })),
    );
    const one = startWorker('one', { baseUrl, service: 'restart', concurrency: 50, lease: 30, heartbeat: 1 });
    await until('all run', async () => {
      const { list } = await user.list({ service: 'restart', pageNum: 50 });
      return list.every(({ status, progress }) => status === STATUS.START && progress > 0);
    });
    await first.stop('SIGKILL');
    await until('a request fails', () => one.output().includes("warn the queue can't be reached"));
    const second = await startServer({ ...ENVIRONMENT, PORT }, first.folder);
    const tasks = await Promise.all(made.map(({ taskId }) => user.waitFor(taskId, { timeout: 120 })));
    expect(tasks.filter(({ status, attempt }) => status !== STATUS.FINISHED || attempt !== 1)).toEqual([]);
    const firsts = steps().filter(({ step, taskId }) => step === 1 && made.some((task) => task.taskId === taskId));
    expect(firsts).toHaveLength(50);
    await until('the worker says so', () => one.output().includes('info the queue can be reached again'));
    await second.stop();
  });

  itInWhole(
    'a handler that blocks the event loop past its lease loses the task: what it makes of it counts no longer',
    async () => {
      const { taskId } = await create('blocked', { block: { first: 7000 } });
      const first = startWorker('first', { service: 'blocked' });
      await until('it blocks', () => steps(taskId).length === 1);
      startWorker('second', { service: 'blocked' });
      expect(await user.waitFor(taskId, { timeout: 120, interval: 0.2 })).toMatchObject({
        output: 'by second',
        attempt: 2,
      });
      await until('the first one hears of it', () => first.output().includes(`warn ${taskId} lost: lost`));
      expect(await user.get(taskId)).toMatchObject({ status: STATUS.FINISHED, output: 'by second', attempt: 2 });
    },
  );
});
