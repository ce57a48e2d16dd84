import { describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { ENGINES } from '../../support/databases.js';
import { failure } from '../../support/failure.js';
import { noteStatements } from '../metrics/fixtures/statements.js';
import { ownQueue } from '../schema/fixtures/own-queue.js';

const { BEGIN, FINISHED } = TASK_STATUS;
const alice = { userId: 'alice' };
const tasks = (count: number) => Array.from({ length: count }, (_, index) => ({ input: `${index}` }));

describe.each(ENGINES)('what batches cost, on %s', (engine) => {
  const own = ownQueue(engine, { retention: { finished: 0, failed: 0 } });

  /** Claims all that is ready, and ends it at once. */
  const endAll = async (): Promise<number> => {
    const claimed = await own.service.claim({ limit: 100 });
    await Promise.all(
      claimed.map(({ taskId, leaseToken }) =>
        own.service.report(taskId, { leaseToken: leaseToken!, status: FINISHED }),
      ),
    );
    return claimed.length;
  };
  const noted = async (work: () => Promise<unknown>): Promise<string[]> => {
    const { sent, stop } = noteStatements();
    await work().finally(stop);
    return sent.filter((statement) => /tasks_batch/.test(statement));
  };

  it('costs a task without a batch no statement', async () => {
    const { service } = own;
    const sent = await noted(async () => {
      await service.createMany(tasks(50).map((task) => ({ ...task, ...alice, status: BEGIN })));
      await endAll();
      const { taskId } = await service.create({ input: 'x', ...alice, status: BEGIN });
      await service.cancel(taskId);
      await service.retry(taskId);
      await service.remove([taskId], alice);
      await own.service.bulks.count({ action: 'cancel', all: true });
    });
    expect(sent).toEqual([]);
  });

  it('writes the batch once for all that a transaction ends', async () => {
    const { batchId } = await own.service.batches.create({ tasks: tasks(100) }, alice);
    const sent = await noted(endAll);
    const updates = sent.filter((statement) => /UPDATE\s+\S*tasks_batches/.test(statement));
    // The first report goes alone. The others share a few transactions.
    expect(updates.length).toBeGreaterThan(0);
    expect(updates.length).toBeLessThanOrEqual(8);
    expect(await own.service.batches.get(batchId)).toMatchObject({ state: 'finished', counts: { finished: 100 } });
  });

  it('keeps the tasks of a batch until it has ended, whatever the retention', async () => {
    const { service } = own;
    const { batchId, taskIds } = await service.batches.create({ tasks: tasks(2), seal: false }, alice);
    const plain = await service.create({ input: 'plain', status: BEGIN, ...alice });
    await endAll();
    await own.queue.sweep();
    expect(await failure(service.get(plain.taskId))).toEqual(['NOT_FOUND']);
    expect((await service.get(taskIds[0]!)).status).toBe(FINISHED);
    await service.batches.seal(batchId);
    await own.queue.sweep();
    expect(await failure(service.get(taskIds[0]!))).toEqual(['NOT_FOUND']);
    expect(await service.batches.get(batchId)).toMatchObject({ state: 'finished', counts: { finished: 2 } });
  });
});
