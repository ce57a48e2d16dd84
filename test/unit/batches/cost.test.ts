import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { failure } from '../../support/failure.js';
import { noteStatements } from '../metrics/fixtures/statements.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';

const { BEGIN, FINISHED } = TASK_STATUS;
const alice = { userId: 'alice' };
const tasks = (count: number) => Array.from({ length: count }, (_, index) => ({ input: `${index}` }));

describe.each(ENGINES)('what batches cost, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource, { retention: { finished: 0, failed: 0 } });
  });
  afterAll(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });

  /** Claims all that is ready, and ends it at once. */
  const endAll = async (): Promise<number> => {
    const claimed = await queue.service.claim({ limit: 100 });
    await Promise.all(
      claimed.map(({ taskId, leaseToken }) =>
        queue.service.report(taskId, { leaseToken: leaseToken!, status: FINISHED }),
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
    const { service } = queue;
    const sent = await noted(async () => {
      await service.createMany(tasks(50).map((task) => ({ ...task, ...alice, status: BEGIN })));
      await endAll();
      const { taskId } = await service.create({ input: 'x', ...alice, status: BEGIN });
      await service.cancel(taskId);
      await service.retry(taskId);
      await service.remove([taskId], alice);
      await queue.service.bulks.count({ action: 'cancel', all: true });
    });
    expect(sent).toEqual([]);
  });

  it('writes the batch once for all that a transaction ends', async () => {
    const { batchId } = await queue.service.batches.create({ tasks: tasks(100) }, alice);
    const sent = await noted(endAll);
    const updates = sent.filter((statement) => /UPDATE\s+\S*tasks_batches/.test(statement));
    // The first report goes alone. The others share a few transactions.
    expect(updates.length).toBeGreaterThan(0);
    expect(updates.length).toBeLessThanOrEqual(8);
    expect(await queue.service.batches.get(batchId)).toMatchObject({ state: 'finished', counts: { finished: 100 } });
  });

  it('keeps the tasks of a batch until it has ended, whatever the retention', async () => {
    const { service } = queue;
    const { batchId, taskIds } = await service.batches.create({ tasks: tasks(2), seal: false }, alice);
    const plain = await service.create({ input: 'plain', status: BEGIN, ...alice });
    await endAll();
    await queue.sweep();
    expect(await failure(service.get(plain.taskId))).toEqual(['NOT_FOUND']);
    expect((await service.get(taskIds[0]!)).status).toBe(FINISHED);
    await service.batches.seal(batchId);
    await queue.sweep();
    expect(await failure(service.get(taskIds[0]!))).toEqual(['NOT_FOUND']);
    expect(await service.batches.get(batchId)).toMatchObject({ state: 'finished', counts: { finished: 2 } });
  });
});
