import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { TaskEvent } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { createDatabase } from '../../support/databases.js';
import { type Host, spread, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

describe.each(spread(import.meta))('a host and its tasks on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  /**
   * What is told of one task while work is done. An event comes after its commit: others may see the row before, so it
   * waits for `count` events.
   */
  async function told(count: number, work: () => Promise<string>): Promise<string[]> {
    const heard: TaskEvent[] = [];
    const stop = host.tasks.onTask((event) => void heard.push(event));
    try {
      const taskId = await work();
      const types = () => heard.filter(({ task }) => task.taskId === taskId).map(({ type }) => type);
      await until(`${count} events`, () => types().length >= count);
      return types();
    } finally {
      stop();
    }
  }
  const create = async (status = 10, more: object = {}): Promise<string> =>
    (await host.tasks.create({ userId: 'alice', input: 'in', status, ...more })).taskId;
  const claim = async (taskId: string, lease = 60): Promise<string> =>
    (await host.tasks.claim({ taskId, lease }))[0]!.leaseToken!;

  it('hears each step once, after its commit', async () => {
    const heard = await told(5, async () => {
      const taskId = await create();
      const leaseToken = await claim(taskId);
      await host.tasks.heartbeat(taskId, { leaseToken });
      await host.tasks.report(taskId, { leaseToken, progress: 50 });
      await host.tasks.report(taskId, { leaseToken, status: 30 });
      await host.tasks.report(taskId, { leaseToken, status: 30 });
      return taskId;
    });
    expect(heard).toEqual(['created', 'ready', 'started', 'progressed', 'finished']);
  });

  it('hears drafts made ready, failures, cancelling, giving back and running again', async () => {
    const heard = await told(8, async () => {
      const taskId = await create(0);
      await host.tasks.markReady(taskId);
      await host.tasks.release(taskId, { leaseToken: await claim(taskId) });
      await host.tasks.report(taskId, { leaseToken: await claim(taskId), status: -10 });
      await host.tasks.retry(taskId);
      await host.tasks.cancel(taskId);
      await host.tasks.cancel(taskId);
      return taskId;
    });
    expect(heard).toEqual(['created', 'ready', 'started', 'ready', 'started', 'failed', 'ready', 'cancelled']);
  });

  it('hears of leases that ran out', async () => {
    const heard = await told(4, async () => {
      const [taskId, last] = [await create(), await create(10, { maxAttempts: 1 })];
      await claim(taskId, 1);
      await claim(last, 1);
      await until('failed', async () => (await host.tasks.get(last)).status === -10);
      await until('ready', async () => (await host.tasks.get(taskId)).status === 10);
      return taskId;
    });
    expect(heard).toEqual(['created', 'ready', 'started', 'ready']);
  });

  it('is not disturbed by a listener that fails, and tells nobody of a transaction of its own', async () => {
    const stop = host.tasks.onTask(() => {
      throw new Error('a listener of the test fails, which is logged');
    });
    const later = host.tasks.onTask(() => Promise.reject(new Error('a listener of the test fails, which is logged')));
    expect(await told(1, () => create(0))).toEqual(['created']);
    stop();
    later();
    const within = () =>
      host.app.get(DataSource).transaction(async (manager) => {
        const [task] = await host.tasks.createMany([{ userId: 'alice', input: 'in', status: 10 }], { manager });
        return task!.taskId;
      });
    expect(await told(0, within)).toEqual([]);
  });

  it('creates many in a transaction of its own, or none', async () => {
    const user = 'rolled back';
    const undone = host.app.get(DataSource).transaction(async (manager) => {
      const tasks = [1, 2].map((input) => ({ userId: user, input: `${input}` }));
      expect(await host.tasks.createMany(tasks, { manager, idempotencyKey: 'k' })).toHaveLength(2);
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect((await host.tasks.list({ userId: user })).list).toEqual([]);
    expect(await host.tasks.createMany([{ userId: user, input: '1' }], { idempotencyKey: 'k' })).toHaveLength(1);
  });

  it('counts tasks by service and status', async () => {
    await create(0, { service: 'counted' });
    await create(10, { service: 'counted' });
    await create(10, { service: 'counted' });
    const counts = (await host.tasks.counts()).filter(({ service }) => service === 'counted');
    expect(counts).toEqual([
      { service: 'counted', status: 0, count: 1 },
      { service: 'counted', status: 10, count: 2 },
    ]);
  });

  it('is told why a heartbeat, a release or another verb fails', async () => {
    const taskId = await create();
    const leaseToken = await claim(taskId);
    expect(await failure(host.tasks.heartbeat(taskId, { leaseToken: 'wrong' }))).toEqual(['LEASE_LOST']);
    expect(await failure(host.tasks.heartbeat(taskId, { leaseToken, lease: 0 }))).toEqual(['INVALID_PARAM', 'lease']);
    expect(await failure(host.tasks.release('nobody', { leaseToken }))).toEqual(['NOT_FOUND']);
    expect(await failure(host.tasks.retry(taskId))).toEqual(['INVALID_STATE']);
    expect(await failure(host.tasks.cancel(taskId, { userId: 'bob' }))).toEqual(['NOT_FOUND']);
    expect(await failure(host.tasks.claim({ limit: 101 }))).toEqual(['INVALID_PARAM', 'limit']);
    const many = [
      { userId: 'a', input: 'x' },
      { userId: 'b', input: 'x' },
    ];
    expect(await failure(host.tasks.createMany(many, { idempotencyKey: 'k' }))).toEqual([
      'INVALID_PARAM',
      'Idempotency-Key',
    ]);
  });
});

describe.each(spread(import.meta))('retention on $engine with $adapter', (where) => {
  it('forgets what ended long enough ago, and nothing else', async () => {
    const database = await createDatabase(where.engine);
    const before = await startHost({ ...where, database });
    const ago = (days: number): string =>
      new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 23).replace('T', ' ');
    const row = (id: string, status: number, finished: string | null): Promise<unknown> =>
      before.app.get(DataSource).query(
        `INSERT INTO tasks (id, user_id, service, status, input, finished_at, updated_at) VALUES
          ('${id}', 'alice', 's', ${status}, 'in', ${finished === null ? 'NULL' : `'${finished}'`}, '2020-01-01 00:00:00.000')`,
      );
    await row('a old', 30, ago(31));
    await row('b by SQL', 30, null);
    await row('c failed', -10, ago(91));
    await row('d cancelled', -20, ago(91));
    await row('e young', 30, ago(29));
    await row('f failed', -10, ago(89));
    await row('g ready', 10, null);
    await row('h draft', 0, null);
    const left = async (host: Host): Promise<string[]> =>
      (await host.tasks.list({ userId: 'alice', pageNum: 100 })).list.map((task) => task.taskId).sort();
    // Off by default: two looks of the sweeper forget nothing.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await left(before)).toHaveLength(8);
    await before.close();
    const host = await startHost({ ...where, database, options: { retention: { finished: 30, failed: 90 } } });
    await until('forgotten', async () => (await left(host)).length === 4);
    expect(await left(host)).toEqual(['e young', 'f failed', 'g ready', 'h draft']);
    await host.close();
    await database.drop();
  });
});
