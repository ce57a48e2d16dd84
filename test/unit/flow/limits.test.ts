import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const OPTIONS = { operatorTokens: ['an-operator-token-0123456789'], services: { gpu: { maxRunning: 2 } } };

describe.each(PLACES)('limits of services on $engine', (where) => {
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
    await query('UPDATE tasks_services SET max_running = NULL, rate_max = NULL, credit = NULL');
    await host.tasks.operator.setService('x', { note: null });
  });

  const query = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const create = (service: string, count = 1): Promise<Task[]> =>
    host.tasks.createMany(Array.from({ length: count }, () => ({ userId: 'u', input: 'x', service, status: 10 })));
  const claim = (options: object, from = host): Promise<Task[]> => from.tasks.claim(options);
  const end = ({ taskId, leaseToken }: Task, status = 30): Promise<Task> =>
    host.tasks.report(taskId, { leaseToken: leaseToken!, status });
  const set = (service: string, settings: object) => host.tasks.operator.setService(service, settings);
  const otherKnows = async (service: string, maxRunning: number | null): Promise<unknown> =>
    until('the other process knows', async () => {
      const { limits } = (other.tasks as any).queue.gates;
      return (limits.settings.get(service)?.maxRunning ?? null) === maxRunning;
    });

  it('let so many tasks run at once, over all processes, and count the ends of every kind', async () => {
    await create('gpu', 10);
    const running = [...(await claim({ service: 'gpu', limit: 10 }))];
    expect(running).toHaveLength(2);
    expect(await claim({ service: 'gpu', limit: 10 }, other)).toEqual([]);
    await end(running[0]!);
    const next = await claim({ service: 'gpu', limit: 10 }, other);
    expect(next).toHaveLength(1);
    await host.tasks.cancel(running[1]!.taskId);
    const third = await claim({ service: 'gpu', limit: 10 });
    expect(third).toHaveLength(1);
    await end(third[0]!, 10);
    await query(`UPDATE tasks SET status = 30 WHERE id = '${next[0]!.taskId}'`);
    expect(await claim({ service: 'gpu', limit: 10 }, other)).toHaveLength(2);
    const states = await host.tasks.operator.services();
    expect(states.find(({ service }) => service === 'gpu')).toMatchObject({
      service: 'gpu',
      maxRunning: 2,
      running: 2,
    });
  });

  it('hold for claims by id and without a service, which go on with other services', async () => {
    const [first] = await create('gpu', 3);
    const [free] = await create('free');
    expect(await claim({ limit: 100 })).toHaveLength(3);
    expect(await claim({ taskId: free!.taskId })).toEqual([]);
    const left = await query(`SELECT id FROM tasks WHERE status = 10`);
    expect(left).toHaveLength(1);
    expect(await claim({ taskId: left[0].id })).toEqual([]);
    expect(await claim({ limit: 100 }, other)).toEqual([]);
    await create('free', 2);
    expect((await claim({ limit: 100 }, other)).map(({ service }) => service)).toEqual(['free', 'free']);
    await query(`UPDATE tasks SET status = 30 WHERE id = '${first!.taskId}'`);
    expect(await claim({ taskId: left[0].id }, other)).toHaveLength(1);
  });

  it('hold for many claims at once, of limited and of other services', async () => {
    await create('gpu', 20);
    await create('free', 20);
    const claims = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        claim([{ service: 'gpu' }, { service: 'free' }, {}][n % 3]!, n % 2 === 0 ? host : other),
      ),
    );
    const taken = claims.flat().map(({ service }) => service);
    expect(taken.filter((service) => service === 'gpu')).toHaveLength(2);
    expect(new Set(claims.flat().map(({ taskId }) => taskId)).size).toBe(taken.length);
    // A claim may have met tasks that another one was just taking.
    const rest = await claim({ service: 'free', limit: 100 });
    expect(taken.length + rest.length).toBe(22);
  });

  it('that are lowered stop nothing, and start nothing until it fits', async () => {
    await create('gpu', 6);
    await set('gpu', { maxRunning: 4 });
    const running = await claim({ service: 'gpu', limit: 10 });
    expect(running).toHaveLength(4);
    await set('gpu', { maxRunning: 1 });
    await end(running[0]!);
    await end(running[1]!);
    await end(running[2]!);
    // The other process takes the limit from the row, whether it knows of it or not.
    expect(await claim({ service: 'gpu', limit: 10 }, other)).toEqual([]);
    await end(running[3]!);
    expect(await claim({ service: 'gpu', limit: 10 }, other)).toHaveLength(1);
  });

  it('count what ran before they were set', async () => {
    await create('late', 60);
    expect(await claim({ service: 'late', limit: 50 })).toHaveLength(50);
    expect(await set('late', { maxRunning: 50 })).toMatchObject({ running: 50, maxRunning: 50 });
    await otherKnows('late', 50);
    expect(await claim({ service: 'late', limit: 10 }, other)).toEqual([]);
    expect(await set('late', { maxRunning: 51 })).toMatchObject({ running: 50 });
    expect(await claim({ service: 'late', limit: 10 }, other)).toHaveLength(1);
    expect(await set('late', { maxRunning: null })).toMatchObject({ running: null });
    await otherKnows('late', null);
    expect(await claim({ service: 'late', limit: 100 }, other)).toHaveLength(9);
  });

  it('forget tasks whose rows are gone', async () => {
    const [first] = await create('gpu', 3);
    await claim({ service: 'gpu', limit: 2 });
    await query(`DELETE FROM tasks WHERE id = '${first!.taskId}'`);
    expect(await claim({ service: 'gpu', limit: 2 })).toHaveLength(1);
  });

  it('of a rate give the burst, then what the rate has filled in', async () => {
    await create('api', 30);
    expect(await set('api', { rate: { max: 1, per: 1, burst: 3 } })).toMatchObject({ running: null });
    expect(await claim({ service: 'api', limit: 10 })).toHaveLength(3);
    expect(await claim({ service: 'api', limit: 10 })).toHaveLength(0);
    const more = await until('there is another start', async () => {
      const found = await claim({ service: 'api', limit: 10 });
      return found.length > 0 ? found : undefined;
    });
    const started = await query(`SELECT started_at AS at FROM tasks WHERE status = 20 ORDER BY started_at`);
    const time = (row: any): number => new Date(typeof row.at === 'string' ? `${row.at}Z` : row.at).getTime();
    const [first, last] = [time(started[0]), time(started.at(-1))];
    expect(last - first).toBeGreaterThanOrEqual(1000 * more.length);
    // A task that is given back has used its start.
    await end(more[0]!, 10);
    await set('api', { rate: { max: 1, per: 86_400, burst: 3 } });
    expect(await claim({ service: 'api', limit: 10 })).toHaveLength(0);
  });

  it('of a row that somebody has deleted are kept all the same', async () => {
    await create('gpu', 3);
    await query('DELETE FROM tasks_services');
    expect(await claim({ service: 'gpu', limit: 10 }, other)).toHaveLength(2);
    await query('DELETE FROM tasks_services');
    expect(await claim({ service: 'gpu', limit: 10 })).toEqual([]);
    await create('gpu', 3);
    await query('DELETE FROM tasks_services');
    await query('UPDATE tasks SET status = 30 WHERE status = 20');
    await until('a look has made it anew', async () => (await claim({})).length > 0);
  });
});
