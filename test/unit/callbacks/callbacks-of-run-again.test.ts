import { describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { connect, withQueue } from '../schema/fixtures/queue.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { ENGINES } from '../../support/databases.js';

describe.each(ENGINES)('a task that is cancelled and run again, again and again, on %s', (engine) => {
  it('keeps its 20 newest callbacks, and waits for those that are not delivered', async () => {
    const database = await borrowDatabase(engine);
    const dataSource = await connect(database);
    try {
      await withQueue(dataSource, { callbackUrl: 'http://127.0.0.1:9/never' }, async ({ service }) => {
        const { taskId } = await service.create({ userId: 'alice', input: 'in', status: TASK_STATUS.BEGIN });
        const other = await service.create({ userId: 'alice', input: 'in', status: TASK_STATUS.BEGIN });
        await service.cancel(other.taskId);
        // Nobody delivers them: the queue was not started.
        const deliver = () =>
          dataSource.query(`UPDATE tasks_callbacks SET state = 'delivered', due_at = NULL,
            ended_at = '2099-01-01 00:00:00' WHERE task_id = '${taskId}' AND state = 'pending'`);
        const ids: string[] = [];
        for (let round = 0; round < 45; round++) {
          await service.cancel(taskId);
          ids.push((await service.callbacks.list({ taskId, limit: 1 })).list[0]!.id);
          await deliver();
          await service.retry(taskId);
        }
        const kept = (await service.callbacks.list({ taskId })).list.map(({ id }) => id);
        expect(kept).toEqual(ids.toReversed().slice(0, 20));
        expect((await service.callbacks.list({ taskId: other.taskId })).list).toHaveLength(1);

        for (let round = 0; round < 19; round++) {
          await service.cancel(taskId);
          await service.retry(taskId);
        }
        await service.cancel(taskId);
        await expect(service.retry(taskId)).rejects.toMatchObject({
          errorName: 'TOO_MANY_REQUESTS',
          detail: { msg: expect.stringMatching(/^20 callbacks .* not delivered yet; .* or create a new task$/) },
        });
        expect((await service.callbacks.list({ taskId })).list).toHaveLength(40);
        await deliver();
        expect((await service.retry(taskId)).status).toBe(TASK_STATUS.BEGIN);
        expect((await service.callbacks.list({ taskId })).list).toHaveLength(20);
      });
    } finally {
      await dataSource.destroy();
      await giveBack(database);
    }
  });
});
