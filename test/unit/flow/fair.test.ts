import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { type Host, PLACES, startHost, WHOLE } from '../../support/host.js';
import { afterFlood, type Flood, flood } from './fixtures/flood.js';

const OPTIONS = {
  operatorTokens: ['an-operator-token-0123456789'],
  services: {
    fair: { fair: true },
    groups: { fair: 'group' as const },
    weighed: { fair: true, weight: (owner: string) => (owner === 'three' ? 3 : 1) },
  },
};

/** With TEST_FIGURES=1 it says what it has seen. */
const figures = (text: string): unknown => process.env.TEST_FIGURES && process.stdout.write(`    ${text}\n`);

describe.each(PLACES)('turns on $engine', ({ engine, adapter }) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ engine, adapter, options: OPTIONS });
  });
  afterAll(async () => {
    await host?.close();
  });
  afterEach(async () => {
    await query('DELETE FROM tasks');
  });

  const query = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const add = async (given: Omit<Flood, 'service'>, service = 'fair'): Promise<void> => {
    await query(flood(engine, { service, ...given }));
    for (const text of afterFlood(engine)) await query(text);
  };
  const create = (userId: string, count = 1, more: object = {}): Promise<Task[]> =>
    host.tasks.createMany(
      Array.from({ length: count }, () => ({ userId, input: 'x', service: 'fair', status: 10, ...more })),
    );
  const claim = (limit = 1, service: string | undefined = 'fair'): Promise<Task[]> =>
    host.tasks.claim({ service, limit });
  /** The worker is done with them. */
  const end = async (tasks: Task[]): Promise<void> => {
    if (tasks.length === 0) return;
    await query(`UPDATE tasks SET status = 30 WHERE id IN (${tasks.map(({ taskId }) => `'${taskId}'`).join(', ')})`);
  };
  const countOf = (tasks: Task[], owner: string): number => tasks.filter(({ userId }) => userId === owner).length;
  /** The owners of so many starts, of which `workers` run at once, each as long as the others. */
  const starts = async (count: number, workers: number, ended = (_: Task): unknown => undefined): Promise<Task[]> => {
    const started: Task[] = [];
    let running: Task[] = [];
    while (started.length < count) {
      await end(running);
      for (const task of running) await ended(task);
      running = await claim(workers);
      started.push(...running);
    }
    return started;
  };

  it('let somebody who sends 1, 10 or 1,000 have every second start beside a flood', async () => {
    await add({ id: 'a', count: WHOLE ? 100_000 : 5000 });
    await end(await claim(3));
    for (const [count, limit] of [
      [1, 1],
      [10, 1],
      [WHOLE ? 1000 : 200, 50],
    ] as const) {
      await create('b', count);
      const started: Task[] = [];
      while (countOf(started, 'b') < count && started.length < 4 * count + 100) {
        const taken = await claim(limit);
        started.push(...taken);
        await end(taken);
      }
      expect(countOf(started, 'b')).toBe(count);
      figures(`beside a flood ${count} tasks have started after ${started.length}`);
      expect(started.length).toBeLessThanOrEqual(2 * count + limit);
    }
  });

  it('give each of a hundred owners about the same', async () => {
    const [owners, each] = WHOLE ? [100, 30] : [100, 6];
    await add({ id: 'n', count: owners * each * 3, owners });
    const started = await starts(owners * each, 3);
    const counts = new Map<string, number>();
    for (const { userId } of started) counts.set(userId, (counts.get(userId) ?? 0) + 1);
    expect(counts.size).toBe(owners);
    const spread = [Math.min(...counts.values()), Math.max(...counts.values())];
    figures(`starts of ${owners} owners, ${each} each on average: ${spread.join(' to ')}`);
    expect(spread[0]).toBeGreaterThanOrEqual(Math.floor((each * 25) / 30));
    expect(spread[1]).toBeLessThanOrEqual(Math.ceil((each * 35) / 30));
  });

  it('starve nobody: neither a backlog nor those who send one task at a time', async () => {
    await add({ id: 'a', count: 1000 });
    for (const owner of ['b', 'c', 'd']) await create(owner);
    const started = await starts(WHOLE ? 200 : 60, 2, async ({ userId }) => {
      if (userId !== 'u10000') await create(userId);
    });
    figures(`a backlog and three: ${['u10000', 'b', 'c', 'd'].map((owner) => countOf(started, owner)).join(', ')}`);
    for (const owner of ['u10000', 'b', 'c', 'd'])
      expect(Math.abs(countOf(started, owner) / started.length - 0.25)).toBeLessThan(0.08);
  });

  it('share the workers, not the starts, between tasks of a minute and tasks of a second', async () => {
    const seconds = WHOLE ? 240 : 130;
    await create('long', 200);
    for (let part = 0; part < 3; part++) await create('short', 800);
    const running = new Map<Task, number>();
    const worked = { long: 0, short: 0, rare: 0 };
    let waited = 0;
    for (let now = 0; now < seconds; now++) {
      if (now % 50 === 25) await create('rare');
      const over = [...running].filter(([, until]) => until <= now).map(([task]) => task);
      await end(over);
      for (const task of over) running.delete(task);
      const taken = running.size < 10 ? await claim(10 - running.size) : [];
      for (const task of taken) running.set(task, now + (task.userId === 'long' ? 60 : 1));
      if (now % 50 === 25) waited += countOf(taken, 'rare') === 1 ? 0 : 1;
      for (const { userId } of running.keys()) worked[userId as 'long'] += 1;
    }
    figures(`seconds worked: ${JSON.stringify(worked)}`);
    expect(Math.abs(worked.long / worked.short - 1)).toBeLessThan(0.15);
    expect(waited).toBe(0);
  }, 60_000);

  it('weigh owners as the host says', async () => {
    await create('three', 150, { service: 'weighed' });
    await create('one', 150, { service: 'weighed' });
    const running = await claim(8, 'weighed');
    const started: Task[] = [];
    while (started.length < 80) {
      await end(running.splice(0, 1));
      const taken = await claim(1, 'weighed');
      started.push(...taken);
      running.push(...taken);
    }
    figures(`weights 3 and 1: ${countOf(started, 'three')} and ${countOf(started, 'one')}`);
    expect(countOf(started, 'three') / countOf(started, 'one')).toBeCloseTo(3, 0);
    expect(countOf(running, 'three')).toBe(6);
  });

  it('take the most urgent priority first, and of an owner the oldest task', async () => {
    const older = await create('a', 3);
    const [urgent] = await create('b', 1, { priority: -5 });
    await create('b', 3);
    const taken = [...(await claim(1)), ...(await claim(3))];
    expect(taken[0]!.taskId).toBe(urgent!.taskId);
    const ofA = taken.filter(({ userId }) => userId === 'a').map(({ taskId }) => taskId);
    expect(ofA).toEqual(older.slice(0, ofA.length).map(({ taskId }) => taskId));
    expect(new Set(taken.slice(1).map(({ userId }) => userId)).size).toBe(2);
    expect(await claim(10)).toHaveLength(3);
  });

  it('go on to tasks that come back: given back, due, or made ready by plain SQL', async () => {
    await create('a', 2);
    await create('b', 2);
    const first = await claim(4);
    await host.tasks.report(first[0]!.taskId, { leaseToken: first[0]!.leaseToken!, status: 10 });
    expect((await claim(4)).map(({ taskId }) => taskId)).toEqual([first[0]!.taskId]);
    await query(`UPDATE tasks SET status = 10 WHERE user_id = 'b'`);
    const back: Task[] = [];
    for (let turn = 0; turn < 4; turn++) back.push(...(await claim(4)));
    expect(back).toHaveLength(2);
  });

  it('may be those of groups, where the tasks without a group are one of them', async () => {
    const service = 'groups';
    await create('a', 30, { service, group: 'x' });
    await create('a', 30, { service, group: 'y' });
    await create('a', 30, { service });
    await create('b', 1, { service, group: 'y', priority: -1 });
    expect((await claim(1, service)).map(({ userId }) => userId)).toEqual(['b']);
    const taken = [...(await claim(6, service)), ...(await claim(6, service))];
    for (const group of ['x', 'y', null]) {
      const count = taken.filter((task) => task.group === group).length;
      expect(count).toBeGreaterThanOrEqual(3);
      expect(count).toBeLessThanOrEqual(5);
    }
  });

  it('hold for claims of any service, too', async () => {
    await create('a', 50);
    await create('b', 5);
    await create('c', 5, { service: 'plain' });
    const taken = await claim(20, undefined);
    expect(taken).toHaveLength(20);
    const left = [...(await claim(10)), ...taken];
    expect(countOf(left, 'b')).toBe(5);
  });

  it('begin and end at run time', async () => {
    await create('a', 20, { service: 'later' });
    await create('b', 2, { service: 'later' });
    expect(countOf(await claim(2, 'later'), 'a')).toBe(2);
    await host.tasks.operator.setService('later', { fair: true });
    expect(countOf(await claim(2, 'later'), 'b')).toBe(2);
    await create('b', 2, { service: 'later' });
    await host.tasks.operator.setService('later', { fair: false });
    expect(countOf(await claim(4, 'later'), 'a')).toBe(4);
  });
});
