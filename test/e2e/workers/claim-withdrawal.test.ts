import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../support/answers.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import type { TestDatabase } from '../../support/databases.js';
import { type Host, spread, startHost } from '../../support/host.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(spread(import.meta))('a claim that is withdrawn, on $engine with $adapter', (where) => {
  let database: TestDatabase;
  let host: Host;
  /** Another process' server, where there can be one. */
  let other: Host;
  beforeAll(async () => {
    database = await borrowDatabase(where.engine);
    host = await startHost({ ...where, database });
    other = where.engine === 'sqlite' ? host : await startHost({ ...where, database });
  });
  afterAll(async () => {
    if (other !== host) await other?.close();
    await host?.close();
    await giveBack(database);
  });

  const claim = async (at: Host, service: string, key: string, more: object): Promise<any[]> => {
    const json = { service, workerId: 'w', lease: 60, ...more };
    return dataOf(await at.worker('POST', '/api/crontask', { json, headers: { 'idempotency-key': key } })).list;
  };
  const withdraw = (at: Host, service: string, key: string) => claim(at, service, key, { limit: 0, wait: 20 });
  const ready = (service: string) => host.tasks.create({ userId: 'alice', input: 'in', service, status: 10 });

  it('takes nothing more, wherever it waits, and leaves its task to others at once', async () => {
    const key = randomUUID();
    const waiting = claim(host, 'waits', key, { limit: 1, wait: 3 });
    await pause(300);
    const next = claim(host, 'waits', randomUUID(), { limit: 1, wait: 30 });
    await pause(100);
    expect(await withdraw(other, 'waits', key)).toEqual([]);
    const start = performance.now();
    const { taskId } = await ready('waits');
    expect((await next).map(({ task }) => task.taskId)).toEqual([taskId]);
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(await waiting).toEqual([]);
    await ready('waits');
    // One that is late on its way.
    expect(await claim(host, 'waits', key, { limit: 1, wait: 1 })).toEqual([]);
    expect(await withdraw(host, 'waits', key)).toEqual([]);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 20, attempts: 1 });
  });

  it('answers what it has taken already, and the same once more', async () => {
    const key = randomUUID();
    await Promise.all([ready('taken'), ready('taken'), ready('taken')]);
    const taken = await claim(host, 'taken', key, { limit: 2 });
    expect(taken).toHaveLength(2);
    expect(await withdraw(other, 'taken', key)).toEqual(taken);
    expect(await withdraw(host, 'taken', key)).toEqual(taken);
    for (const { task, leaseToken } of taken) await host.tasks.report(task.taskId, { leaseToken, status: 30 });
    expect(await withdraw(host, 'taken', key)).toEqual([]);
    expect(await claim(host, 'taken', key, { limit: 2 })).toEqual([]);
  });

  it('in the moment that it takes a task has taken it for the withdrawal to tell, or not at all', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async (_, round) => {
        const [service, key] = [`race ${round}`, randomUUID()];
        const waiting = claim(host, service, key, { limit: 1, wait: 2 });
        await pause(200);
        const made = ready(service);
        await pause(Math.random() * 30);
        const told = await withdraw(other, service, key);
        const { taskId } = await made;
        const heard = await waiting;
        const { status, attempts } = await host.tasks.get(taskId);
        expect(heard).toEqual(told);
        expect([status, attempts]).toEqual(told.length > 0 ? [20, 1] : [10, 0]);
        return told.length;
      }),
    );
    expect(outcomes).toHaveLength(40);
  });

  it('is named by its key', async () => {
    expectFailure(await host.worker('POST', '/api/crontask', { json: { limit: 0 } }), 'INVALID_PARAM', [
      'limit',
      'withdrawal',
    ]);
    const key = { 'idempotency-key': 'k' };
    expectFailure(await host.worker('POST', '/api/crontask', { json: { limit: -1 }, headers: key }), 'INVALID_PARAM', [
      'limit',
      'min',
    ]);
  });
});
