import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { type Task, TASK_STATUS } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';

const { BEGIN, FINISHED, ERROR } = TASK_STATUS;

describe.each(ENGINES)('failed attempts on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource, { metrics: true, maxAttempts: 5 });
  });
  afterEach(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });

  const create = () => queue.service.create({ userId: 'alice', input: 'in', status: BEGIN });
  const claim = async ({ taskId }: Task, workerId = 'w') =>
    (await queue.service.claim({ taskId, lease: 60, workerId }))[0]!;
  const fail = async (task: Task, given: object) => {
    const { taskId, leaseToken } = await claim(task);
    await queue.service.report(taskId, { leaseToken: leaseToken!, status: ERROR, ...given });
  };
  const count = async (): Promise<number> =>
    Number((await dataSource.query<{ n: unknown }[]>('SELECT COUNT(*) AS n FROM tasks_attempts'))[0]!.n);

  it('are kept with worker, times, outcome and error; the one that succeeds is not', async () => {
    const task = await create();
    const { startedAt } = await claim(task, 'first');
    const { leaseToken } = await queue.service.get(task.taskId);
    await queue.service.report(task.taskId, {
      leaseToken: leaseToken!,
      status: ERROR,
      retry: true,
      delay: 0,
      error: 'no',
    });
    const second = await claim(task, 'second');
    await queue.service.release(task.taskId, { leaseToken: second.leaseToken! });
    await claim(task, 'third');
    await dataSource.query(`UPDATE tasks SET lease_expires_at = '2026-01-01 00:00:00'`);
    await queue.sweep();
    const last = await claim(task);
    await queue.service.report(task.taskId, { leaseToken: last.leaseToken!, status: FINISHED });

    const attempts = await queue.service.metrics.attemptsOf(task.taskId);
    const at = expect.any(Date);
    expect(attempts).toEqual([
      { attempt: 1, workerId: 'first', startedAt, endedAt: at, outcome: 'failed', error: 'no' },
      { attempt: 2, workerId: 'second', startedAt: second.startedAt, endedAt: at, outcome: 'released', error: null },
      { attempt: 2, workerId: 'third', startedAt: at, endedAt: at, outcome: 'leaseExpired', error: null },
    ]);
    for (const { startedAt: started, endedAt } of attempts)
      expect(endedAt.getTime()).toBeGreaterThanOrEqual(started!.getTime());
    expect(Math.abs(attempts[0]!.endedAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  it('have an error of at most 4 KB of whole characters, and none of an earlier attempt', async () => {
    const task = await create();
    await fail(task, { retry: true, delay: 0, error: `x${'漢'.repeat(2000)}` });
    await fail(task, { retry: true, delay: 0 });
    await fail(task, { error: 'a'.repeat(4096) });
    const [first, second, third] = await queue.service.metrics.attemptsOf(task.taskId);
    expect(first!.error).toBe(`x${'漢'.repeat(1365)}`);
    expect(second!.error).toBeNull();
    expect(third!.error).toBe('a'.repeat(4096));
  });

  it('are written and undone with the change of the task', async () => {
    const task = await create();
    const { leaseToken } = await claim(task);
    const end = { leaseToken: leaseToken!, status: ERROR, error: 'no' };
    await Promise.all([queue.service.report(task.taskId, end), queue.service.report(task.taskId, end)]);
    expect(await count()).toBe(1);
    await dataSource.query('ALTER TABLE tasks_attempts RENAME TO away');
    const other = await create();
    await expect(fail(other, { error: 'no' })).rejects.toThrow();
    expect((await queue.service.get(other.taskId)).status).toBe(TASK_STATUS.START);
    await dataSource.query('ALTER TABLE away RENAME TO tasks_attempts');
  });

  it('are many in one transaction', async () => {
    const tasks = await queue.service.createMany(
      Array.from({ length: 150 }, () => ({ userId: 'alice', input: 'in', status: BEGIN })),
    );
    const held = [...(await queue.service.claim({ limit: 100 })), ...(await queue.service.claim({ limit: 50 }))];
    await Promise.all(
      held.map(({ taskId, leaseToken }) =>
        queue.service.report(taskId, { leaseToken: leaseToken!, status: ERROR, error: taskId }),
      ),
    );
    expect(await count()).toBe(tasks.length);
    const [attempt] = await queue.service.metrics.attemptsOf(held[120]!.taskId);
    expect(attempt!.error).toBe(held[120]!.taskId);
  });

  it('go with their task, by each way of deleting it, and no others', async () => {
    const [byUser, bySql, kept] = [await create(), await create(), await create()];
    for (const task of [byUser, bySql, kept]) await fail(task, { error: 'no' });
    await queue.service.remove([byUser.taskId], { userId: 'alice' });
    await dataSource.query(`DELETE FROM tasks WHERE id = '${bySql.taskId}'`);
    await queue.sweep();
    expect(await count()).toBe(1);
    expect(await queue.service.metrics.attemptsOf(kept.taskId)).toHaveLength(1);
  });

  it('are kept up to 100 of a task, the newest, however many rows there are', async () => {
    const task = await create();
    const rows = (taskId: string, many: number) =>
      Array.from({ length: many }, (_, n) => {
        const at = new Date(Date.UTC(2026, 0, 1) + n).toISOString().slice(0, 23).replace('T', ' ');
        const time = engine === 'postgres' ? `'${at}+00'` : `'${at}'`;
        return `('${taskId}', '${String(n).padStart(6, '0')}', ${n}, 'released', NULL, ${time}, NULL)`;
      });
    for (const some of [rows('0-gone', 1200), rows(task.taskId, 1200)])
      await dataSource.query(
        `INSERT INTO tasks_attempts (task_id, id, attempt, outcome, worker_id, ended_at, error) VALUES ${some.join(', ')}`,
      );
    for (let look = 0; look < 6; look++) await queue.sweep();
    expect(await count()).toBe(100);
    const attempts = await queue.service.metrics.attemptsOf(task.taskId);
    expect([attempts[0]!.attempt, attempts.at(-1)!.attempt]).toEqual([1100, 1199]);
  });
});
