import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

/** What only code can say: `none` may start nothing, `much` as much as there is. */
const limitOf = (owner: string): number | undefined => (owner === 'none' ? 0 : owner === 'much' ? undefined : 1);
const OPTIONS = {
  operatorTokens: ['an-operator-token-0123456789'],
  services: { capped: { maxRunningPerOwner: 2 }, coded: { maxRunningPerOwner: limitOf } },
};

describe.each(PLACES)('limits for owners on $engine', (where) => {
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
    for (const service of ['capped', 'coded'])
      await host.tasks.operator.setService(service, { maxRunningPerOwner: null, maxRunning: null, fair: null });
  });

  const query = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const create = (userId: string, count: number, more: object = {}): Promise<Task[]> =>
    host.tasks.createMany(
      Array.from({ length: count }, () => ({ userId, input: 'x', service: 'capped', status: 10, ...more })),
    );
  const claim = (options: object, from = host): Promise<Task[]> =>
    from.tasks.claim({ service: 'capped', ...options } as never);
  const end = ({ taskId, leaseToken }: Task, status = 30): Promise<Task> =>
    host.tasks.report(taskId, { leaseToken: leaseToken!, status });
  const owners = (tasks: Task[]): string[] => tasks.map(({ userId }) => userId).sort();
  const waitOf = async (path: string): Promise<string | null> =>
    (await host.worker('GET', `/api/crontask?${path}`)).headers.get('x-task-wait');

  it('hold over all processes, for each owner, and let the others start', async () => {
    await create('a', 20);
    await create('b', 3);
    await create('c', 1);
    const first = await claim({ limit: 10 });
    expect(owners(first)).toEqual(['a', 'a', 'b', 'b', 'c']);
    expect(await claim({ limit: 10 }, other)).toEqual([]);
    expect(await waitOf('service=capped')).toBe('limit');
    await end(first.find(({ userId }) => userId === 'a')!);
    await host.tasks.cancel(first.find(({ userId }) => userId === 'b')!.taskId);
    expect(owners(await claim({ limit: 10 }, other))).toEqual(['a', 'b']);
    const [state] = (await host.tasks.operator.services()).filter(({ service }) => service === 'capped');
    expect(state).toMatchObject({ maxRunningPerOwner: 2, running: 5, wait: 'limit' });
  });

  it('hold for many claims at once, also by id, by group and of any service', async () => {
    for (const owner of ['a', 'b', 'c']) await create(owner, 10, { group: 'g' });
    const [named] = await create('a', 1);
    const filters = [{}, { group: 'g' }, { service: undefined }, { taskId: named!.taskId }];
    const claims = await Promise.all(
      Array.from({ length: 40 }, (_, n) => claim(filters[n % 4]!, n % 8 < 4 ? host : other)),
    );
    const taken = claims.flat();
    // A claim may have met tasks that another one was just taking.
    for (const filter of filters) taken.push(...(await claim({ ...filter, limit: 10 })));
    expect(owners(taken)).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    expect(await waitOf(`taskId=${named!.taskId}`)).toBe(
      taken.some((task) => task.taskId === named!.taskId) ? null : 'limit',
    );
    expect(await waitOf('')).toBe('limit');
  });

  it('pass by a limited owner whose tasks have more priorities than a claim looks at', async () => {
    for (let priority = 0; priority < 12; priority++) await create('a', 1, { priority });
    await create('b', 3, { priority: 20 });
    expect(owners(await claim({ limit: 2 }))).toEqual(['a', 'a']);
    expect(owners(await claim({ limit: 10 }))).toEqual(['b', 'b']);
    expect(await claim({ limit: 10 })).toEqual([]);
    expect(await waitOf('service=capped&wait=1')).toBe('limit');
  });

  it('may come from a function of the owner, and then be none', async () => {
    const service = 'coded';
    await create('none', 5, { service });
    expect(await claim({ service })).toEqual([]);
    expect(await waitOf(`service=${service}`)).toBe('limit');
    await create('much', 5, { service });
    await create('some', 5, { service });
    const taken = await claim({ service, limit: 10 });
    expect(owners(taken)).toEqual(['much', 'much', 'much', 'much', 'much', 'some']);
    await host.tasks.operator.setService(service, { fair: 'group' });
    expect(await claim({ service, limit: 10 })).toEqual([]);
    await end(taken.find(({ userId }) => userId === 'some')!);
    expect(owners(await claim({ service, limit: 10 }))).toEqual(['some']);
    await host.tasks.operator.setService(service, { maxRunningPerOwner: 3 });
    expect(owners(await claim({ service, limit: 10 }))).toEqual(['none', 'none', 'none', 'some', 'some']);
  });

  it('count what runs, are lowered and raised, and hold beside the limit of the service', async () => {
    const service = 'late';
    await create('a', 10, { service });
    await create('b', 10, { service });
    expect(await claim({ service, limit: 8 })).toHaveLength(8);
    await host.tasks.operator.setService(service, { maxRunningPerOwner: 2, maxRunning: 11 });
    expect(owners(await claim({ service, limit: 10 }))).toEqual(['b', 'b']);
    await host.tasks.operator.setService(service, { maxRunningPerOwner: 5 });
    expect(owners(await claim({ service, limit: 10 }))).toEqual(['b']);
    await host.tasks.operator.setService(service, { maxRunningPerOwner: null, maxRunning: null });
    expect(await claim({ service, limit: 100 })).toHaveLength(9);
  });

  it('keep claims asleep while every owner with ready tasks is at the limit, and an end wakes one', async () => {
    await create('a', 5);
    const running = await claim({ limit: 2 });
    let answered = 0;
    const claims = [host, other].map(async (from) => {
      const tasks = await claim({ wait: 30 }, from);
      answered += 1;
      return tasks;
    });
    await create('a', 2);
    // As long as it takes the claims to look twice.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(answered).toBe(0);
    await end(running[0]!);
    await until('one claim is answered', () => Promise.resolve(answered === 1));
    await create('b', 1);
    expect(owners((await Promise.all(claims)).flat())).toEqual(['a', 'b']);
  });
});
