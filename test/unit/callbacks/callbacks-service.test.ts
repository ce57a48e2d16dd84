import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { TASK_STATUS, type TaskCallback, type TaskError } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { ENGINES, type TestDatabase } from '../../support/databases.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { finished, finishMany } from './fixtures/ends.js';
import { type Receiver, startReceiver, status } from './fixtures/receiver.js';

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: TaskError) => error.errorName,
  );

describe.each(PLACES)('TaskService.callbacks on $engine with $adapter', (where) => {
  let receiver: Receiver;
  let host: Host;
  beforeAll(async () => {
    receiver = await startReceiver();
    const options = { callbackUrl: receiver.url, callbackRetry: { delays: [], jitter: 0 } };
    host = await startHost({ ...where, options });
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await host?.close();
    await receiver?.close();
  });

  it('lists newest first, by task, by state and page by page, and counts', async () => {
    const ids = await finishMany(host.tasks, 25);
    await until('delivered', async () => (await host.tasks.callbacks.counts()).delivered === 25);
    receiver.answer = status(500);
    const dead = await finished(host.tasks);
    await until('dead', async () => (await host.tasks.callbacks.counts()).dead === 1);
    expect(await host.tasks.callbacks.counts()).toEqual({ pending: 0, delivered: 25, dead: 1 });

    const { callbacks } = host.tasks;
    const all = (await callbacks.list()).list;
    expect(all).toHaveLength(26);
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
    expect(all[0]).toMatchObject({ taskId: dead, state: 'dead', tries: [{ status: 500 }] });
    expect((await callbacks.list({ state: 'dead' })).list.map(({ taskId }) => taskId)).toEqual([dead]);
    expect((await callbacks.list({ taskId: ids[0] })).list.map(({ taskId }) => taskId)).toEqual([ids[0]]);
    expect((await callbacks.list({ taskId: ids[0], state: 'dead' })).list).toEqual([]);

    const paged: TaskCallback[] = [];
    let cursor: string | undefined;
    do {
      const page = await callbacks.list({ limit: 10, cursor });
      expect(page.list.length).toBeLessThanOrEqual(10);
      paged.push(...page.list);
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(paged).toEqual(all);
  });

  it('names what it cannot do', async () => {
    const { callbacks } = host.tasks;
    expect(await failure(callbacks.list({ limit: 0 }))).toBe('INVALID_PARAM');
    expect(await failure(callbacks.list({ limit: 1001 }))).toBe('INVALID_PARAM');
    expect(await failure(callbacks.list({ state: 'lost' as never }))).toBe('INVALID_PARAM');
    expect(await failure(callbacks.list({ cursor: "' OR 1" }))).toBe('INVALID_PARAM');
    expect((await callbacks.list({ taskId: 'no id at all' })).list).toEqual([]);
    for (const id of ['nothing', "' OR 1 = 1 --", '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c']) {
      expect(await failure(callbacks.get(id))).toBe('NOT_FOUND');
      expect(await failure(callbacks.replay(id))).toBe('NOT_FOUND');
    }
  });

  it('replays nothing that is being tried just now', async () => {
    let answer!: () => void;
    receiver.received.length = 0;
    receiver.answer = (response) => void (answer = () => response.end());
    const taskId = await finished(host.tasks);
    await until('tried', () => receiver.received.length === 1);
    const [{ id }] = (await host.tasks.callbacks.list({ taskId })).list as [TaskCallback];
    expect(await host.tasks.callbacks.replay(id)).toMatchObject({ state: 'pending', attempts: 1 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(receiver.received).toHaveLength(1);
    answer();
    await until('delivered', async () => (await host.tasks.callbacks.get(id)).state === 'delivered');
    expect(receiver.received).toHaveLength(1);
  });

  it('forgets none before its time', async () => {
    expect((await host.tasks.callbacks.list()).list.length).toBeGreaterThan(20);
  });
});

describe.each(ENGINES)('callbackRetention on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  let receiver: Receiver;
  beforeAll(async () => {
    database = await borrowDatabase(engine);
    dataSource = await connect(database);
    receiver = await startReceiver();
  });
  afterEach(() => queue.close());
  afterAll(async () => {
    await dataSource?.destroy();
    await receiver?.close();
    await giveBack(database);
  });

  it('keeps what is pending, and what ended in its days; the rest is deleted in small steps', async () => {
    const options = { callbackUrl: receiver.url, callbackRetention: 7 };
    queue = await openQueue(dataSource, options);
    const { service } = queue;
    await finishMany(service, 12);
    const { list } = await service.callbacks.list();
    const end = async (from: number, to: number, days: number): Promise<void> => {
      const ids = list.slice(from, to).map(({ id }) => `'${id}'`);
      const time = new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 23).replace('T', ' ');
      const utc = engine === 'postgres' ? `'${time}+00'` : `'${time}'`;
      await dataSource.query(
        `UPDATE tasks_callbacks SET state = 'dead', due_at = NULL, ended_at = ${utc} WHERE id IN (${ids.join()})`,
      );
    };
    await end(0, 4, 6.9);
    await end(4, 8, 7.1);
    await queue.sweep();
    const left = (await service.callbacks.list()).list.map(({ id }) => id);
    expect(left).toEqual([...list.slice(0, 4), ...list.slice(8)].map(({ id }) => id));
    expect((await service.get(list[4]!.taskId)).status).toBe(TASK_STATUS.FINISHED);
  });

  it('of no days forgets at once what has ended', async () => {
    queue = await openQueue(dataSource, { callbackUrl: receiver.url, callbackRetention: 0 });
    await queue.sweep();
    const { dead, pending } = await queue.service.callbacks.counts();
    expect([dead, pending > 0]).toEqual([0, true]);
  });
});
