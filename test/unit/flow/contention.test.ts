import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { SettingsLook } from '../../../src/flow/settings-look.js';
import { describeOn } from '../../support/databases.js';
import { type Host, startHost } from '../../support/host.js';
import { type Held, POINTS, Steps, untilWaiting } from './fixtures/steps.js';

const OPTIONS = { services: { a: { maxRunning: 1 }, b: { maxRunning: 1 }, wide: { maxRunning: 50 } } };

/** Three processes. A claim meets services that others just hold. */
describeOn('mysql', 'postgres')('limited services that others hold on %s', (engine) => {
  let hosts: Host[] = [];
  let steps: Steps[] = [];
  beforeAll(async () => {
    const first = await startHost({ engine, adapter: 'express', options: OPTIONS });
    const { database } = first;
    hosts = [first];
    for (const adapter of ['fastify', 'express'] as const)
      hosts.push(await startHost({ engine, adapter, database, options: OPTIONS }));
    steps = hosts.map((host) => new Steps(host, false));
    jest.spyOn(SettingsLook.prototype, 'run').mockResolvedValue(false);
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    for (const host of hosts.reverse()) await host.close();
  });
  beforeEach(async () => {
    await query('DELETE FROM tasks');
  });
  afterEach(() => {
    expect(steps.flatMap(({ failures }) => failures.splice(0))).toEqual([]);
    for (const each of steps) each.isSplit = false;
  });

  const query = (text: string): Promise<any> => hosts[0]!.app.get(DataSource).query(text);
  const create = async (service: string, group?: string): Promise<string> =>
    (await hosts[0]!.tasks.create({ userId: 'u', input: 'x', service, group, status: 10 })).taskId;
  const claim = (place: number, options: object): Promise<Task[]> => hosts[place]!.tasks.claim(options);
  const hold = (place: number, point: (typeof POINTS)[keyof typeof POINTS]): Held => {
    steps[place]!.isSplit = true;
    return steps[place]!.hold(point);
  };

  it('claims without a service that arrive together wait for them', async () => {
    for (let n = 0; n < 9; n++) await create('wide');
    const held = hold(1, POINTS.commit);
    const first = claim(1, { service: 'wide' });
    await held.reached;
    const others = [1, 2, 3].map((limit) => claim(0, { limit }));
    await untilWaiting(hosts[2]!);
    held.release();
    expect(await first).toHaveLength(1);
    expect((await Promise.all(others)).map((tasks) => tasks.length)).toEqual([1, 2, 3]);
  });

  it('claims by id that arrive together wait for them', async () => {
    const ids = [await create('wide'), await create('wide'), await create('wide')];
    const held = hold(1, POINTS.commit);
    const first = claim(1, { taskId: ids[0]! });
    await held.reached;
    const others = ids.map((taskId) => claim(0, { taskId }));
    await untilWaiting(hosts[2]!);
    held.release();
    expect(await first).toHaveLength(1);
    expect((await Promise.all(others)).map((tasks) => tasks.length)).toEqual([0, 1, 1]);
  });

  it('a claim that finds the one full takes from the other, once it is free', async () => {
    for (const service of ['wide', 'b', 'wide', 'b']) await create(service);
    const [holdsWide, holdsB] = [hold(1, POINTS.update), hold(2, POINTS.update)];
    const [ofWide, ofB] = [claim(1, { service: 'wide' }), claim(2, { service: 'b' })];
    await Promise.all([holdsWide.reached, holdsB.reached]);
    const any = claim(0, {});
    await untilWaiting(hosts[0]!);
    holdsB.release();
    expect(await ofB).toHaveLength(1);
    // It waits for this one now, or comes back for it.
    await new Promise((resolve) => setTimeout(resolve, 100));
    holdsWide.release();
    expect((await any).map(({ service }) => service)).toEqual(['wide']);
    expect(await ofWide).toHaveLength(1);
  });

  it('two claims without a service that meet two full ones in opposite order meet no deadlock', async () => {
    const full = [await create('a', 'full'), await create('b', 'full')];
    for (const [group, services] of [
      ['one', ['a', 'b']],
      ['two', ['b', 'a']],
    ] as const)
      for (const service of services) await create(service, group);
    const before = [hold(0, POINTS.lock), hold(1, POINTS.lock)];
    const claims = [claim(0, { group: 'one' }), claim(1, { group: 'two' })];
    await Promise.all(before.map(({ reached }) => reached));
    for (const taskId of full) expect(await claim(2, { taskId })).toHaveLength(1);
    const after = [hold(0, POINTS.count), hold(1, POINTS.count)];
    for (const { release } of before) release();
    await Promise.all(after.map(({ reached }) => reached));
    for (const { release } of after) release();
    expect(await Promise.all(claims)).toEqual([[], []]);
  });
});
