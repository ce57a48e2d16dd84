import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { type Task, TASK_STATUS, type TaskService } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { describeOn, ENGINES, type TestDatabase } from '../../support/databases.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';

const { BEGIN, ERROR, FINISHED, CANCELLED } = TASK_STATUS;

describeOn(...ENGINES)('a unique key, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  let service: TaskService;
  beforeAll(async () => {
    database = await borrowDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource);
    ({ service } = queue);
  });
  afterAll(async () => {
    await queue.close();
    await dataSource.destroy();
    await giveBack(database);
  });
  beforeEach(() => dataSource.query('DELETE FROM tasks'));

  const create = (rest: object = {}): Promise<Task & { duplicate?: boolean }> =>
    service.create({ userId: 'alice', input: 'x', status: BEGIN, maxAttempts: 1, unique: { key: 'report' }, ...rest });
  const statusOf = async ({ taskId }: Task): Promise<number> => (await service.get(taskId)).status;
  const expireLeases = (): Promise<unknown> =>
    dataSource.query(`UPDATE tasks SET lease_expires_at = '2026-01-01 00:00:00' WHERE lease_expires_at IS NOT NULL`);

  it('is held while its task waits, runs, or will run again', async () => {
    const first = await create({ maxAttempts: 2 });
    for (const step of ['waits', 'runs', 'runs again']) {
      expect([step, await create()]).toEqual([
        step,
        expect.objectContaining({ taskId: first.taskId, duplicate: true }),
      ]);
      if (step === 'waits') await service.claim({ taskId: first.taskId });
      else await expireLeases().then(() => queue.sweep());
    }
  });

  it('is free when its worker has died and its last lease has run out', async () => {
    const dead = await create();
    await service.claim({ taskId: dead.taskId });
    await expireLeases();
    await queue.sweep();
    expect(await statusOf(dead)).toBe(ERROR);
    expect((await create()).duplicate).toBeUndefined();
  });

  it('is free when plain SQL has ended its task, or deleted it', async () => {
    const ended = await create();
    await dataSource.query(`UPDATE tasks SET status = ${FINISHED} WHERE id = '${ended.taskId}'`);
    const next = await create();
    expect(next.duplicate).toBeUndefined();
    await dataSource.query(`DELETE FROM tasks WHERE id = '${next.taskId}'`);
    expect((await create()).duplicate).toBeUndefined();
  });

  it('is free after a cancel, and belongs to the one that runs again first', async () => {
    const first = await create();
    await service.cancel(first.taskId);
    const second = await create();
    expect(second.duplicate).toBeUndefined();
    await expect(service.retry(first.taskId)).rejects.toMatchObject({ errorName: 'INVALID_STATE' });
    expect(await statusOf(first)).toBe(CANCELLED);
    await service.cancel(second.taskId);
    await service.retry(first.taskId);
    expect(await create()).toMatchObject({ taskId: first.taskId, duplicate: true });
  });

  it('is held by the commit of a host, and left free by its rollback', async () => {
    const inHost = (): Promise<Task & { duplicate?: boolean }> =>
      dataSource.transaction((manager) =>
        service.create({ userId: 'alice', input: 'x', unique: { key: 'report' } }, { manager }),
      );
    const rolledBack = dataSource.transaction(async (manager) => {
      await service.create({ userId: 'alice', input: 'x', unique: { key: 'report' } }, { manager });
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    const committed = await inHost();
    expect(committed.duplicate).toBeUndefined();
    expect(await inHost()).toMatchObject({ taskId: committed.taskId, duplicate: true });
    expect(await create()).toMatchObject({ taskId: committed.taskId, duplicate: true });
  });
});
