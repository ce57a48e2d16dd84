import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Task } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const OPERATED = { operatorTokens: ['an-operator-token-0123456789'] };

describe.each(PLACES)('a paused service on $engine', (where) => {
  let host: Host;
  /** Another process on the same database. */
  let other: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: OPERATED });
    const isOneProcess = where.engine === 'sqlite';
    other = isOneProcess ? host : await startHost({ ...where, database: host.database, options: OPERATED });
  });
  afterAll(async () => {
    if (other !== host) await other?.app.close();
    await host?.close();
  });
  afterEach(async () => {
    await host.tasks.operator.setService('paused', { paused: false, note: null });
  });

  const create = (service: string, options = {}): Promise<Task> =>
    host.tasks.create({ userId: 'alice', input: 'x', service, status: 10, ...options });
  const pause = (settings = {}) =>
    host.tasks.operator.setService('paused', { paused: true, ...settings }, { by: 'olga' });
  const ids = (tasks: Task[]): string[] => tasks.map(({ taskId }) => taskId);

  it('gives no task to claims of it, of any service, or by id, and changes no task', async () => {
    const held = await create('paused');
    const free = await create('open');
    const state = await pause({ note: 'the API answers 429' });
    expect(state).toMatchObject({ service: 'paused', paused: true, pausedUntil: null, changedBy: 'olga' });
    expect(state.note).toBe('the API answers 429');
    expect(await host.tasks.claim({ service: 'paused' })).toEqual([]);
    expect(await host.tasks.claim({ taskId: held.taskId })).toEqual([]);
    expect(ids(await host.tasks.claim({ limit: 10 }))).toEqual([free.taskId]);
    expect(await host.tasks.get(held.taskId)).toMatchObject({ status: 10, attempts: 0 });
    await host.tasks.operator.setService('paused', { paused: false });
    expect(ids(await host.tasks.claim({ service: 'paused' }))).toEqual([held.taskId]);
  });

  it('goes on with tasks that run', async () => {
    const { taskId } = await create('paused');
    const [claimed] = await host.tasks.claim({ service: 'paused' });
    await pause();
    const report = { leaseToken: claimed!.leaseToken!, status: 30, output: 'y' };
    expect(await host.tasks.report(taskId, report)).toMatchObject({ status: 30 });
  });

  const otherKnows = (): Promise<unknown> =>
    until('the other process knows', async () => {
      const { taskId } = await create('paused');
      return (await other.tasks.claim({ taskId })).length === 0;
    });

  it('is paused in other processes, too, and resumed', async () => {
    await pause();
    await otherKnows();
    await host.tasks.operator.setService('paused', { paused: false });
    await until(
      'the other process claims again',
      async () => (await other.tasks.claim({ service: 'paused' })).length > 0,
    );
  });

  it('keeps claims waiting, wakes none of them for new tasks, and wakes them when it is resumed', async () => {
    await pause();
    await otherKnows();
    await host.app.get(DataSource).query('DELETE FROM tasks');
    let isAnswered = false;
    const claims = [host, other].map(async ({ tasks }) => {
      const claimed = await tasks.claim({ service: 'paused', wait: 30 });
      isAnswered = true;
      return ids(claimed);
    });
    const made = [await create('paused'), await create('paused')];
    // As long as it takes the claims to look twice.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(isAnswered).toBe(false);
    await host.tasks.operator.setService('paused', { paused: false });
    expect((await Promise.all(claims)).flat().sort()).toEqual(ids(made).sort());
  });

  it('ends a pause at its time by the clock of the database', async () => {
    const { taskId } = await create('paused');
    const until2 = new Date(Date.now() + 2500);
    expect(await pause({ pausedUntil: until2.toISOString() })).toMatchObject({ paused: true, pausedUntil: until2 });
    expect(await host.tasks.claim({ taskId })).toEqual([]);
    await until('the pause ends', async () => (await host.tasks.claim({ taskId })).length === 1);
    const [state] = await host.tasks.operator.services();
    expect(state).toMatchObject({ service: 'paused', paused: false, pausedUntil: null });
  });

  it.each([
    ['a service without a name', '', { paused: true }, 'service'],
    ['a time without a zone', 'paused', { paused: true, pausedUntil: '2030-01-01T00:00:00' }, 'pausedUntil'],
    ['an end of no pause', 'paused', { paused: false, pausedUntil: '2030-01-01T00:00:00Z' }, 'pausedUntil'],
    ['a pause that is over', 'paused', { paused: true, pausedUntil: '2020-01-01T00:00:00Z' }, 'pausedUntil'],
    ['an end of a service that is not paused', 'paused', { pausedUntil: '2030-01-01T00:00:00Z' }, 'pausedUntil'],
    ['a pause that is no boolean', 'paused', { paused: 'yes' as never }, 'paused'],
  ])('refuses %s', async (_, service, settings, field) => {
    expect(await failure(host.tasks.operator.setService(service, settings))).toEqual(['INVALID_PARAM', field]);
  });

  it('finds tasks of open services however many others are paused', async () => {
    for (let n = 0; n < 5; n++) {
      await create(`closed-${n}`);
      await host.tasks.operator.setService(`closed-${n}`, { paused: true });
    }
    const claims = host.tasks.claim({ wait: 20, group: undefined });
    const { taskId } = await create('zz-open');
    const claimed = ids(await claims);
    const left = ids(await host.tasks.claim({ limit: 100 }));
    expect([...claimed, ...left]).toContain(taskId);
    for (let n = 0; n < 5; n++) await host.tasks.operator.setService(`closed-${n}`, { paused: false });
    expect(await host.tasks.claim({ limit: 100 })).toHaveLength(5);
  });
});
