import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import { ReadyOwnerStore } from '../../../src/operator/ready-owner.store.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { until } from '../../support/until.js';
import { backlog, costOf, dialectOf } from '../queue/fixtures/cost.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';

const { BEGIN, FINISHED } = TASK_STATUS;

describe.each(ENGINES)('whose the next tasks of a service are, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource, {
      operatorTokens: ['an-operator-token-0123456789'],
      services: { fair: { fair: true } },
    });
  });
  afterAll(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });
  const create = (userId: string, service: string, count: number, more: object = {}) =>
    queue.service.createMany(
      Array.from({ length: count }, () => ({ userId, input: 'in', service, status: BEGIN, ...more })),
    );

  it('are those that claims would find: most first, in the order of claims, of the service alone', async () => {
    await create('alice', 'mail', 3);
    await create('carol', 'mail', 2);
    await create('bob', 'mail', 5, { priority: 9 });
    await create('dora', 'other', 9);
    await create('dora', 'mail', 9, { status: TASK_STATUS.INIT });
    for (const [most, list] of [
      [5, ['alice 3', 'carol 2']],
      [8, ['alice 3', 'bob 3', 'carol 2']],
      [100, ['bob 5', 'alice 3', 'carol 2']],
    ] as const) {
      const { result } = await costOf(dataSource, engine, () =>
        new ReadyOwnerStore(dialectOf(engine), most).of('mail'),
      );
      expect(result.list.map(({ userId, ready }) => `${userId} ${ready}`)).toEqual(list);
      expect(result.lookedAt).toBe(Math.min(most, 10));
    }
  });

  it('names at most 5, in the overview only where at least 100 are ready', async () => {
    for (const owner of ['a', 'b', 'c', 'd', 'e', 'f']) await create(owner, 'crowd', 30);
    const { services } = await queue.service.operator.overview();
    const ownersOf = (name: string) => services.find(({ service }) => service === name)!.owners;
    expect(ownersOf('mail')).toBeNull();
    expect(ownersOf('crowd')).toEqual({
      lookedAt: 180,
      list: ['a', 'b', 'c', 'd', 'e'].map((userId) => ({ userId, ready: 30, running: null })),
    });
  });

  it('says what runs of each where owners take turns, however few are ready', async () => {
    for (const owner of ['a', 'b', 'c']) await create(owner, 'fair', 2);
    const running = await queue.service.claim({ service: 'fair', limit: 3 });
    await queue.service.cancel(running.find(({ userId }) => userId === 'b')!.taskId);
    // The same overview is given for 2 s.
    const owners = await until('the overview has them', async () => {
      const { services } = await queue.service.operator.overview();
      return services.find(({ service }) => service === 'fair')?.owners;
    });
    expect(owners.lookedAt).toBe(3);
    expect(owners.list.map(({ userId, ready, running }) => [userId, ready, running])).toEqual([
      ['a', 1, 1],
      ['c', 1, 1],
      ['b', 1, 0],
    ]);
  });

  it('cost the same however many are ready or have ended', async () => {
    const cost = async () =>
      (await costOf(dataSource, engine, () => new ReadyOwnerStore(dialectOf(engine), 200).of('odd'))).read;
    await backlog(dataSource, engine, 3000, BEGIN);
    const before = await cost();
    await backlog(dataSource, engine, 20_000, BEGIN);
    await backlog(dataSource, engine, 10_000, FINISHED);
    expect(await cost()).toBeLessThanOrEqual(before * 1.25 + 50);
  });
});
