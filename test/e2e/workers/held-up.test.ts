import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { RetryLater, TaskWorker } from '../../../src/client/index.js';
import { type Host, spread, startHost, WORKER_TOKEN } from '../../support/host.js';
import { until } from '../../support/until.js';

const OPTIONS = { services: { gpu: { maxRunning: 1 }, api: {} } };
const LIMIT = 'no tasks for now: as many tasks of the service run as may';

/** A worker of either SDK as a process, or here, that fails each task by RetryLater with a pause of its service. */
interface Running {
  log(): string;
  stop(): Promise<unknown>;
}

const PYTHON = `
import logging, sys
from softdd_task import RetryLater, Worker
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
def handler(context):
    raise RetryLater(1, "429", pause_service=3600)
worker = Worker(sys.argv[1], sys.argv[2], service=sys.argv[3], wait=1)
worker(handler)
worker.run()
`;

const WORKERS: Record<string, (url: string, service: string) => Running> = {
  TypeScript: (baseUrl, service) => {
    const lines: string[] = [];
    const worker = new TaskWorker({
      baseUrl,
      token: WORKER_TOKEN,
      service,
      wait: 1,
      log: (_, line) => lines.push(line),
      handler: () => {
        throw new RetryLater(1, '429', { pauseService: 3600 });
      },
    });
    const run = worker.run();
    return { log: () => lines.join('\n'), stop: () => worker.close({ timeout: 0 }).then(() => run) };
  },
  Python: (url, service) => {
    const child = spawn('python3', ['-c', PYTHON, url, WORKER_TOKEN, service], {
      env: { ...process.env, PYTHONPATH: resolve('clients/python') },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise((end) => child.once('close', end));
    return { log: () => output, stop: () => (child.kill('SIGTERM'), ended) };
  },
};

describe.each(spread(import.meta))('a worker and a limited service on $engine', (where) => {
  let host: Host;
  let running: Running | undefined;
  beforeAll(async () => {
    host = await startHost({ ...where, options: OPTIONS, nest: { forceCloseConnections: true } });
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
    await host.app.get(DataSource).query('DELETE FROM tasks');
    await host.tasks.operator.setService('api', { paused: null });
  });
  afterAll(async () => {
    await host?.close();
  });
  const create = (service: string) => host.tasks.create({ userId: 'u', input: 'x', service, status: 10 });

  it.each(Object.keys(WORKERS))('the log of one in %s says once why there are no tasks', async (language) => {
    await create('gpu');
    await create('gpu');
    expect(await host.tasks.claim({ service: 'gpu' })).toHaveLength(1);
    running = WORKERS[language]!(host.url, 'gpu');
    await until('it says so', () => running!.log().includes(LIMIT));
    // Two more claims.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(running.log().split(LIMIT)).toHaveLength(2);
  });

  it.each(Object.keys(WORKERS))('one in %s pauses its service for all by RetryLater', async (language) => {
    const { taskId } = await create('api');
    running = WORKERS[language]!(host.url, 'api');
    const paused = await until('the service is paused', async () =>
      (await host.tasks.operator.services()).find(({ service, paused }) => service === 'api' && paused),
    );
    expect(Math.abs(paused.pausedUntil!.getTime() - Date.now() - 3_600_000)).toBeLessThan(120_000);
    expect(paused.changedBy).toMatch(/^worker /);
    await until('it waits', async () => [5, 10].includes((await host.tasks.get(taskId))!.status));
    await until('it says so', () => running!.log().includes('no tasks for now: the service is paused'));
  });
});
