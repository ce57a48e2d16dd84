import { describe, expect, it } from '@jest/globals';
import { type Task, TASK_STATUS } from '../../../src/index.js';
import { connect, withQueue } from '../schema/fixtures/queue.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { ENGINES } from '../../support/databases.js';
import { until } from '../../support/until.js';

const { BEGIN, START, WAITING, ERROR, CANCELLED } = TASK_STATUS;

describe.each(ENGINES)('a task that plain SQL sets to BEGIN, on %s', (engine) => {
  it('has its attempts anew, too, where a Laravel application takes it, which knows of no leases', async () => {
    const database = await borrowDatabase(engine);
    const dataSource = await connect(database);
    try {
      await withQueue(dataSource, {}, async (queue) => {
        const { service } = queue;
        const { taskId } = await service.create({ userId: 'alice', input: 'in', status: BEGIN, maxAttempts: 2 });
        const [task] = await service.claim({ taskId, workerId: 'w' });
        await service.report(taskId, { leaseToken: task!.leaseToken!, status: ERROR, error: 'why', retry: false });
        const set = (change: string) => dataSource.query(`UPDATE tasks SET ${change} WHERE id = '${taskId}'`);
        await set(`status = ${BEGIN}`);
        await set(`status = ${START}, progress = 7`);
        queue.start();
        const taken = await until('it has a lease', async () => {
          const seen = await service.get(taskId);
          return seen.leaseExpiresAt ? seen : undefined;
        });
        expect(taken).toMatchObject({ status: START, attempts: 1, error: null, finishedAt: null, progress: 7 });
      });
    } finally {
      await dataSource.destroy();
      await giveBack(database);
    }
  });

  it('runs again as if it were new where it had ended, like by the route', async () => {
    const database = await borrowDatabase(engine);
    const dataSource = await connect(database);
    try {
      await withQueue(dataSource, { backoff: { base: 60 } }, async ({ service }) => {
        const create = () => service.create({ userId: 'alice', input: 'in', status: BEGIN, maxAttempts: 2 });
        const claim = async (taskId: string): Promise<Task> => (await service.claim({ taskId, workerId: 'w' }))[0]!;
        const fail = async (taskId: string, retry: boolean): Promise<Task> => {
          const { leaseToken } = await claim(taskId);
          return service.report(taskId, { leaseToken: leaseToken!, status: ERROR, error: 'why', retry, progress: 40 });
        };
        const setReady = (taskId: string) =>
          dataSource.query(`UPDATE tasks SET status = ${BEGIN} WHERE id = '${taskId}'`);
        const anew = { status: START, attempts: 1, error: null, finishedAt: null, progress: 0 };

        const byRoute = await create();
        await fail(byRoute.taskId, false);
        await service.retry(byRoute.taskId);
        expect(await claim(byRoute.taskId)).toMatchObject(anew);

        const bySql = await create();
        await fail(bySql.taskId, false);
        await setReady(bySql.taskId);
        expect(await claim(bySql.taskId)).toMatchObject(anew);
        expect(await service.get(bySql.taskId)).toMatchObject(anew);

        const cancelled = await create();
        await service.cancel(cancelled.taskId);
        await setReady(cancelled.taskId);
        expect(await claim(cancelled.taskId)).toMatchObject(anew);

        // Its end was written by SQL, too.
        const failed = await create();
        await claim(failed.taskId);
        await dataSource.query(`UPDATE tasks SET status = ${ERROR}, attempts = 2 WHERE id = '${failed.taskId}'`);
        await setReady(failed.taskId);
        expect((await claim(failed.taskId)).attempts).toBe(1);

        // It has not ended: its attempts go on.
        const resting = await create();
        expect(await fail(resting.taskId, true)).toMatchObject({ status: WAITING, attempts: 1 });
        await setReady(resting.taskId);
        expect(await claim(resting.taskId)).toMatchObject({ attempts: 2, error: 'why' });
        expect((await service.get(cancelled.taskId)).status).not.toBe(CANCELLED);
      });
    } finally {
      await dataSource.destroy();
      await giveBack(database);
    }
  });
});
