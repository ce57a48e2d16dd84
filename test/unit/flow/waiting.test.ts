import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const OPTIONS = {
  operatorTokens: ['an-operator-token-0123456789'],
  services: { gpu: { maxRunning: 1 }, api: { rate: { max: 1, per: 2, burst: 1 } } },
};

describe.each(PLACES)('waiting for a limited service on $engine', (where) => {
  let host: Host;
  /** Another process on the same database. */
  let other: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: OPTIONS });
    const isOneProcess = where.engine === 'sqlite';
    other = isOneProcess ? host : await startHost({ ...where, database: host.database, options: OPTIONS });
  });
  afterAll(async () => {
    if (other !== host) await other?.app.close();
    await host?.close();
  });
  afterEach(async () => {
    await query('DELETE FROM tasks');
    await host.tasks.operator.setService('gpu', { paused: null });
  });

  const query = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const create = (service: string, count = 1): Promise<Task[]> =>
    host.tasks.createMany(Array.from({ length: count }, () => ({ userId: 'u', input: 'x', service, status: 10 })));
  const end = ({ taskId, leaseToken }: Task, report: object = { status: 30 }): Promise<Task> =>
    host.tasks.report(taskId, { leaseToken: leaseToken!, ...report });
  const waitOf = async (path: string): Promise<string | null> =>
    (await host.worker('GET', `/api/crontask?${path}`)).headers.get('x-task-wait');

  it('an empty answer says why: the limit, the rate, the pause, or nothing', async () => {
    expect(await waitOf('service=gpu')).toBeNull();
    await create('gpu', 2);
    await create('api', 2);
    expect(await waitOf('service=gpu')).toBeNull();
    expect(await waitOf('service=api&limit=5')).toBeNull();
    expect(await waitOf('service=gpu&limit=2&wait=1&workerId=w')).toBe('limit');
    expect(await waitOf('service=api')).toBe('rate');
    expect(await waitOf('')).toMatch(/^(limit|rate)$/);
    const [left] = await query(`SELECT id FROM tasks WHERE service = 'gpu' AND status = 10`);
    expect(await waitOf(`taskId=${left.id}`)).toBe('limit');
    const states = await host.tasks.operator.services();
    expect(states.map(({ service, wait }) => [service, wait])).toEqual([
      ['api', 'rate'],
      ['gpu', 'limit'],
    ]);
    await host.tasks.operator.setService('gpu', { paused: true });
    expect(await waitOf('service=gpu&wait=1')).toBe('paused');
    expect(await waitOf(`taskId=${left.id}`)).toBe('paused');
    const overview = await until('the overview says so', async () =>
      (await host.tasks.operator.overview()).services.find(({ wait }) => wait === 'paused'),
    );
    expect(overview).toMatchObject({ service: 'gpu', maxRunning: 1 });
  });

  it('a task that ends wakes one claim, here and in the other process', async () => {
    await create('gpu', 3);
    const [first] = await host.tasks.claim({ service: 'gpu' });
    const claims = [host, other].map(({ tasks }) => tasks.claim({ service: 'gpu', wait: 30 }));
    await end(first!);
    const [second] = await Promise.race(claims);
    await end(second!);
    const both = (await Promise.all(claims)).flat();
    expect(both).toHaveLength(2);
  });

  it('a bucket that fills up wakes one, also of any service', async () => {
    await create('api', 3);
    await until('the bucket is empty', async () => (await host.tasks.claim({ service: 'api' })).length === 0);
    const [task] = await host.tasks.claim({ wait: 30 });
    expect(task!.service).toBe('api');
  });

  it('a worker that meets a 429 pauses its service for all, and ends no longer pause', async () => {
    await create('gpu', 2);
    const [task] = await host.tasks.claim({ service: 'gpu', workerId: 'w1' });
    await end(task!, { status: 10, pauseService: 3600 });
    expect(await host.tasks.claim({ service: 'gpu' })).toEqual([]);
    await until('the other process knows', async () => (await other.tasks.claim({ service: 'gpu' })).length === 0);
    const find = async () => (await host.tasks.operator.services()).find(({ service }) => service === 'gpu')!;
    const state = await find();
    expect(state).toMatchObject({ paused: true, changedBy: 'worker w1' });
    const seconds = (state.pausedUntil!.getTime() - state.changedAt!.getTime()) / 1000;
    expect(Math.abs(seconds - 3600)).toBeLessThan(2);
    await host.tasks.operator.setService('gpu', { paused: true, note: 'maintenance' });
    await (host.tasks as any).queue.gates.pause('gpu', 1, null);
    expect(await find()).toMatchObject({ paused: true, pausedUntil: null, note: 'maintenance' });
    const wrong = await host.worker('PUT', `/api/crontask/${task!.taskId}`, { json: { pauseService: 0 } });
    expect(wrong.body).toMatchObject({ data: { detail: [{ field: 'pauseService' }] } });
  });
});
