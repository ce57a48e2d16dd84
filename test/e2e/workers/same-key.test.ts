import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../../unit/schema/fixtures/queue.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { ENGINES, itAtOnceOn, type TestDatabase } from '../../support/databases.js';

const { BEGIN } = TASK_STATUS;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A client that lost sight of its poll sends it again, and the server holds both. */
describe.each(ENGINES)('polls with one Idempotency-Key at once, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeAll(async () => {
    database = await borrowDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource);
  });
  afterAll(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await giveBack(database);
  });

  const poll = async (service: string, idempotencyKey: string, more: object): Promise<(string | null)[]> => {
    const claimed = await queue.service.claim({ service, idempotencyKey, workerId: 'w', lease: 60, ...more });
    return claimed.flatMap(({ taskId, leaseToken }) => [taskId, leaseToken]);
  };
  const ready = (service: string) =>
    queue.service.create({ userId: 'alice', input: 'in', service, status: BEGIN, maxAttempts: 1 });

  it('both are answered the task that one of them takes, at once', async () => {
    const key = randomUUID();
    const [lost, again] = [poll('both', key, { wait: 20 }), poll('both', key, { wait: 20 })];
    await pause(100);
    const start = performance.now();
    const { taskId } = await ready('both');
    const answers = await Promise.all([lost, again]);
    // Not at their deadlines.
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(answers[1]).toEqual([taskId, expect.any(String)]);
    expect(answers[0]).toEqual(answers[1]);
    expect((await queue.service.get(taskId)).attempts).toBe(1);
  });

  it('once one of them has answered nothing, none takes a task any more', async () => {
    const key = randomUUID();
    const lost = poll('nothing', key, { wait: 20 });
    await pause(50);
    expect(await poll('nothing', key, { wait: 1 })).toEqual([]);
    const { taskId } = await ready('nothing');
    expect(await lost).toEqual([]);
    expect((await queue.service.get(taskId)).status).toBe(BEGIN);
  });

  it('a withdrawal ends the poll that waits', async () => {
    const key = randomUUID();
    const waiting = poll('withdrawn', key, { wait: 20 });
    await pause(50);
    const start = performance.now();
    expect(await poll('withdrawn', key, { limit: 0 })).toEqual([]);
    expect(await waiting).toEqual([]);
    expect(performance.now() - start).toBeLessThan(15_000);
  });
});

describe('polls with one Idempotency-Key in two processes', () => {
  itAtOnceOn(['mysql', 'postgres'])('on %s, the other one is answered the task at its deadline', async (engine) => {
    const database = await borrowDatabase(engine);
    const dataSource = await connect(database);
    const [queue, other] = [await openQueue(dataSource), await openQueue(dataSource)];
    try {
      const claim = { service: 'two', idempotencyKey: randomUUID(), workerId: 'w', lease: 60 };
      const again = other.service.claim({ ...claim, wait: 5 });
      await pause(100);
      await queue.service.create({ userId: 'alice', input: 'in', service: 'two', status: BEGIN });
      const [taken] = await queue.service.claim(claim);
      expect((await again).map(({ leaseToken }) => leaseToken)).toEqual([taken!.leaseToken]);
    } finally {
      await queue.close();
      await other.close();
      await dataSource.destroy();
      await giveBack(database);
    }
  });
});
