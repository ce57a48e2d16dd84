import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ENGINES } from '../support/databases.js';
import { expectFailure, dataOf } from '../support/answers.js';
import { type Host, startHost, WORKER_TOKEN } from '../support/host.js';
import { until } from '../support/until.js';

/** A worker process that claims one task and ends it when it is told to. */
class OneWorker {
  private output = '';
  private readonly child: ChildProcess;

  constructor(url: string) {
    const file = resolve(import.meta.dirname, 'fixtures/one-worker.mjs');
    this.child = spawn(process.execPath, [file, url, WORKER_TOKEN, '1']);
    this.child.stdout!.on('data', (chunk) => (this.output += String(chunk)));
  }

  said(line: number): Promise<any> {
    return until(`line ${line} of the worker`, () => {
      const text = this.output.split('\n')[line];
      return text ? JSON.parse(text) : undefined;
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  goOn(): void {
    this.child.stdin!.write('\n');
  }
}

describe.each(ENGINES)('a worker stopped by SIGSTOP past its lease, on %s', (engine) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ engine, adapter: 'fastify' });
  });
  afterAll(() => host?.close());

  const stopped = async (): Promise<{ worker: OneWorker; taskId: string }> => {
    const worker = new OneWorker(host.url);
    await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    const { claimed: taskId } = await worker.said(0);
    worker.signal('SIGSTOP');
    // It lapses within two seconds of its time.
    await until('the lease has lapsed', async () => (await host.tasks.get(taskId)).status === 10);
    return { worker, taskId };
  };
  const wakeUp = async (worker: OneWorker): Promise<any> => {
    worker.signal('SIGCONT');
    worker.goOn();
    return worker.said(1);
  };

  it('is refused when another has taken the task over, and changes nothing', async () => {
    const { worker, taskId } = await stopped();
    const taken = dataOf(await host.worker('GET', '/api/crontask', { query: { taskId, lease: 60 } }));
    expect(taken).toMatchObject({ task: { taskId }, attempt: 2 });
    const before = await host.tasks.get(taskId);
    const { status, data } = await wakeUp(worker);
    expect([status, data.code, data.detail.status]).toEqual([409, 14005, 20]);
    expect(await host.tasks.get(taskId)).toEqual(before);
    const { leaseToken } = taken;
    dataOf(await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: 30, leaseToken, output: 'new' } }));
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 30, output: 'new' });
  });

  it('is refused even while nobody has taken the task yet', async () => {
    const { worker, taskId } = await stopped();
    const before = await host.tasks.get(taskId);
    const { status, data } = await wakeUp(worker);
    expect([status, data.code, data.detail.status]).toEqual([409, 14005, 10]);
    expect(await host.tasks.get(taskId)).toEqual(before);
    expectFailure(await host.user('mallory', 'PUT', `/api/tasks/${taskId}`, { json: { status: -20 } }), 'NOT_FOUND');
  });
});
