import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ReadyStore } from '../../../src/queue/stores/ready.store.js';
import { WaitingRoom } from '../../../src/queue/waiting/waiting-room.js';
import { processor, withProviders } from '../../unit/processors/fixtures/processors.js';
import { dataOf, expectFailure } from '../../support/answers.js';
import { ADAPTERS, type Host, spread, startHost, WORKER_TOKEN } from '../../support/host.js';
import { until } from '../../support/until.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(spread(import.meta))('waiting for a task on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { maxWaiters: 5 } });
  });
  afterAll(() => host?.close());

  const poll = (query: Record<string, string | number>) =>
    host.worker('GET', '/api/crontask', { query: { wait: 30, ...query } });
  /** A poll, and when it was answered. */
  const timed = async (query: Record<string, string | number>): Promise<{ data: any; at: number }> => {
    const data = dataOf(await poll(query));
    return { data, at: performance.now() };
  };
  const ready = (service: string) =>
    host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', service, status: 10 } });

  it('answers at once where there is one, and [] in the end where there is none', async () => {
    await ready('now');
    const start = performance.now();
    const { data, at } = await timed({ service: 'now' });
    expect(data.task.service).toBe('now');
    expect(at - start).toBeLessThan(15_000);
    const none = await timed({ service: 'never', wait: 1 });
    expect(none.data).toEqual([]);
    expect(none.at - at).toBeGreaterThan(950);
    expect((await timed({ service: 'never', wait: 1, limit: 3 })).data).toEqual({ list: [] });
  });

  it.each<[string, (service: string) => Promise<unknown>]>([
    ['created', (service) => ready(service)],
    [
      'made ready',
      async (service) => {
        const draft = await host.tasks.create({ userId: 'alice', input: 'in', service });
        return host.user('alice', 'PUT', `/api/tasks/${draft.taskId}`, { json: { status: 10 } });
      },
    ],
    [
      'given back',
      async (service) => {
        const { taskId } = await host.tasks.create({
          userId: 'alice',
          input: 'in',
          service: `${service} before`,
          status: 10,
        });
        const [task] = await host.tasks.claim({ taskId });
        await host.app.get(DataSource).query(`UPDATE tasks SET service = '${service}' WHERE id = '${taskId}'`);
        return host.tasks.release(taskId, { leaseToken: task!.leaseToken! });
      },
    ],
  ])('wakes one claim as soon as a task is %s', async (how, make) => {
    const waiting = [timed({ service: how, limit: 2 }), timed({ service: how, limit: 2 })];
    // No claim is woken by the look for what other processes made ready.
    const probe = jest.spyOn(ReadyStore.prototype, 'probe').mockImplementation(function* (filters) {
      return filters.map(() => false);
    });
    await pause(300);
    const start = performance.now();
    await make(how);
    const first = await Promise.race(waiting);
    probe.mockRestore();
    expect(first.data.list).toHaveLength(1);
    expect(first.at - start).toBeLessThan(15_000);
    await ready(how);
    expect((await Promise.all(waiting)).map(({ data }) => data.list.length)).toEqual([1, 1]);
  });

  it('finds what plain SQL made ready while it waits', async () => {
    const waiting = timed({ service: 'sql' });
    await pause(1000);
    const start = performance.now();
    await host.app
      .get(DataSource)
      .query("INSERT INTO tasks (id, user_id, service, status, input) VALUES ('by-sql', 'alice', 'sql', 10, 'in')");
    const { data, at } = await waiting;
    expect(data.task.taskId).toBe('by-sql');
    expect(at - start).toBeLessThan(15_000);
  });

  it('leaves a task to others when its client has hung up', async () => {
    const outgoing = request(`${host.url}/api/crontask?wait=10&service=gone&lease=60`, {
      headers: { authorization: `Bearer ${WORKER_TOKEN}` },
    });
    outgoing.on('error', () => undefined).end();
    await pause(300);
    outgoing.destroy();
    await pause(200);
    const { taskId } = dataOf(await ready('gone'));
    await pause(300);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, attempts: 0 });
    expect((await timed({ service: 'gone' })).data.task.taskId).toBe(taskId);
  });

  it('turns away who comes when all places are taken, unless there is a task', async () => {
    const claims = jest.spyOn(WaitingRoom.prototype, 'claim');
    const waiting = Array.from({ length: 5 }, () => poll({ service: 'crowd' }));
    await until('all places are taken', () => claims.mock.calls.length === 5);
    claims.mockRestore();
    const refused = await poll({ service: 'crowd', wait: 2 });
    expect([refused.status, refused.body.data.code]).toEqual([429, 14009]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await ready('elsewhere');
    expect(dataOf(await poll({ service: 'elsewhere' })).task.service).toBe('elsewhere');
    await Promise.all(waiting.map(() => ready('crowd')));
    expect((await Promise.all(waiting)).map((answer) => dataOf(answer).task.service)).toEqual(Array(5).fill('crowd'));
  });

  it('is never stored on the way', async () => {
    for (const method of ['GET', 'POST'])
      expect((await host.worker(method, '/api/crontask')).headers.get('cache-control')).toBe('no-cache, no-store');
    expectFailure(await host.worker('POST', '/api/crontask', { json: { _method: 'PUT' } }), 'INVALID_PARAM', [
      '_method',
      'method',
    ]);
  });
});

describe.each(ADAPTERS)('a host that stops, with %s', (adapter) => {
  it('answers claims that wait at once', async () => {
    const host = await startHost({ engine: 'sqlite', adapter });
    const waiting = host.worker('GET', '/api/crontask', { query: { wait: 20 }, headers: { connection: 'close' } });
    await pause(300);
    const start = performance.now();
    const closed = host.close();
    expect(dataOf(await waiting)).toEqual([]);
    await closed;
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('answers them before its own processors have come to their ends', async () => {
    let begun = false;
    let end = (): void => undefined;
    const slow = processor('slow', async () => {
      begun = true;
      await new Promise<void>((resolve) => (end = resolve));
    });
    const host = await startHost({ engine: 'sqlite', adapter, imports: [withProviders(slow)] });
    await host.tasks.create({ userId: 'alice', input: 'in', service: 'slow', status: 10 });
    await until('the processor is at work', () => begun);
    const query = { wait: 20, service: 'other' };
    const waiting = host.worker('GET', '/api/crontask', { query, headers: { connection: 'close' } });
    await pause(300);
    let isClosed = false;
    const closed = host.close().then(() => (isClosed = true));
    expect(dataOf(await waiting)).toEqual([]);
    expect(isClosed).toBe(false);
    end();
    await closed;
  });
});

describe.each(ADAPTERS)('a client that hangs up while it claims, with %s', (adapter) => {
  it('takes no task along', async () => {
    const host = await startHost({ engine: 'sqlite', adapter });
    const made = await host.tasks.createMany(
      Array.from({ length: 30 }, () => ({ userId: 'alice', input: 'in', status: 10 })),
    );
    for (let round = 0; round < 20; round++) {
      const outgoing = request(`${host.url}/api/crontask?lease=60`, {
        headers: { authorization: `Bearer ${WORKER_TOKEN}` },
      });
      outgoing.on('error', () => undefined).end();
      await once(outgoing, 'socket');
      if (round % 2 === 0) await pause(1);
      outgoing.destroy();
    }
    // Those whose answer was written before the line was cut are theirs; no other is.
    await pause(300);
    const held = await until('it is quiet', async () =>
      Promise.all(made.map((task) => host.tasks.get(task.taskId))).then((tasks) =>
        tasks.filter((task) => task.status === 20),
      ),
    );
    expect(held.length).toBeLessThan(20);
    expect(held.every((task) => task.attempts === 1)).toBe(true);
    await host.close();
  });
});
