import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Task, TASK_STATUS } from '../../../src/index.js';
import { ENGINES } from '../../support/databases.js';
import { ownQueue } from '../schema/fixtures/own-queue.js';

const { BEGIN, ERROR, FINISHED, CANCELLED } = TASK_STATUS;

describe.each(ENGINES)('a unique key, on %s', (engine) => {
  const own = ownQueue(engine, { maxActiveTasks: 3 });
  beforeEach(() => query('DELETE FROM tasks'));

  const query = (text: string): Promise<unknown> => own.dataSource.query(text);

  const create = (rest: object = {}): Promise<Task & { duplicate?: boolean }> =>
    own.service.create({
      userId: 'alice',
      input: 'x',
      status: BEGIN,
      maxAttempts: 1,
      unique: { key: 'report' },
      ...rest,
    });
  const statusOf = async ({ taskId }: Task): Promise<number> => (await own.service.get(taskId)).status;
  const expireLeases = (): Promise<unknown> =>
    query(`UPDATE tasks SET lease_expires_at = '2026-01-01 00:00:00' WHERE lease_expires_at IS NOT NULL`);

  it('is held while its task waits, runs, or will run again', async () => {
    const first = await create({ maxAttempts: 2 });
    for (const step of ['waits', 'runs', 'runs again']) {
      expect([step, await create()]).toEqual([
        step,
        expect.objectContaining({ taskId: first.taskId, duplicate: true }),
      ]);
      if (step === 'waits') await own.service.claim({ taskId: first.taskId });
      else await expireLeases().then(() => own.queue.sweep());
    }
  });

  it('is free when its worker has died and its last lease has run out', async () => {
    const dead = await create();
    await own.service.claim({ taskId: dead.taskId });
    await expireLeases();
    await own.queue.sweep();
    expect(await statusOf(dead)).toBe(ERROR);
    expect((await create()).duplicate).toBeUndefined();
  });

  it('is free when plain SQL has ended its task, or deleted it', async () => {
    const ended = await create();
    await query(`UPDATE tasks SET status = ${FINISHED} WHERE id = '${ended.taskId}'`);
    const next = await create();
    expect(next.duplicate).toBeUndefined();
    await query(`DELETE FROM tasks WHERE id = '${next.taskId}'`);
    expect((await create()).duplicate).toBeUndefined();
  });

  it('is free after a cancel, and belongs to the one that runs again first', async () => {
    const first = await create();
    await own.service.cancel(first.taskId);
    const second = await create();
    expect(second.duplicate).toBeUndefined();
    await expect(own.service.retry(first.taskId)).rejects.toMatchObject({ errorName: 'INVALID_STATE' });
    expect(await statusOf(first)).toBe(CANCELLED);
    await own.service.cancel(second.taskId);
    await own.service.retry(first.taskId);
    expect(await create()).toMatchObject({ taskId: first.taskId, duplicate: true });
  });

  it('is held by the commit of a host, and left free by its rollback', async () => {
    const inHost = (): Promise<Task & { duplicate?: boolean }> =>
      own.dataSource.transaction((manager) =>
        own.service.create({ userId: 'alice', input: 'x', unique: { key: 'report' } }, { manager }),
      );
    const rolledBack = own.dataSource.transaction(async (manager) => {
      await own.service.create({ userId: 'alice', input: 'x', unique: { key: 'report' } }, { manager });
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    const committed = await inHost();
    expect(committed.duplicate).toBeUndefined();
    expect(await inHost()).toMatchObject({ taskId: committed.taskId, duplicate: true });
    expect(await create()).toMatchObject({ taskId: committed.taskId, duplicate: true });
  });

  it('answers a duplicate also where the quota of its owner is full, and counts it for nothing', async () => {
    const held = await create();
    const another = (key: string) => ({ userId: 'alice', input: 'x', status: BEGIN, unique: { key } });
    // Two duplicates, one of them of a task of the same list, and one new task: one place of two.
    const [first, second, third] = await own.service.createMany([another('report'), another('a'), another('a')]);
    expect([first!.taskId, third!.taskId]).toEqual([held.taskId, second!.taskId]);
    await create({ unique: undefined });
    for (const unique of [undefined, { key: 'b' }])
      await expect(create({ unique })).rejects.toMatchObject({ errorName: 'TOO_MANY_TASK' });
    expect(await create()).toMatchObject({ taskId: held.taskId, duplicate: true });
    // The refused create holds no key.
    await own.service.cancel(second!.taskId);
    expect((await create({ unique: { key: 'b' } })).duplicate).toBeUndefined();
  });
});

describe.each(ENGINES)('a unique key where old tasks are deleted, on %s', (engine) => {
  const own = ownQueue(engine, { retention: { finished: 0, failed: 0 } });
  beforeEach(() => own.dataSource.query('DELETE FROM tasks'));

  const create = (key: string, rest: object = {}): Promise<Task & { duplicate?: boolean }> =>
    own.service.create({ userId: 'alice', input: 'x', status: BEGIN, unique: { key, ...rest } });

  it('is held for longer than its row is kept without a look, and free once that task is gone', async () => {
    const age = () => own.dataSource.query(`UPDATE tasks_keys SET expires_at = '2026-01-01 00:00:00'`);
    const held = await create('old', { until: 'claimed' });
    const ended = await create('ended');
    await own.service.cancel(ended.taskId);
    await age();
    await own.queue.sweep();
    const keys = (await own.dataSource.query('SELECT id FROM tasks_keys WHERE task_ids IS NOT NULL')) as unknown[];
    expect(keys).toHaveLength(1);
    expect(await create('old')).toMatchObject({ taskId: held.taskId, duplicate: true });
    expect((await create('ended')).duplicate).toBeUndefined();
  });

  it('stays with the task that took it next when retention deletes the one before', async () => {
    const first = await create('report');
    await own.service.cancel(first.taskId);
    const second = await create('report');
    await own.queue.sweep();
    await expect(own.service.get(first.taskId)).rejects.toMatchObject({ errorName: 'NOT_FOUND' });
    expect(await create('report')).toMatchObject({ taskId: second.taskId, duplicate: true });
    await own.service.cancel(second.taskId);
    await own.queue.sweep();
    expect((await create('report')).duplicate).toBeUndefined();
  });
});
