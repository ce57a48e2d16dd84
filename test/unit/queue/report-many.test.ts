import { describe, expect, it } from '@jest/globals';
import { type Task, TASK_STATUS } from '../../../src/index.js';
import { ENGINES } from '../../support/databases.js';
import { noteStatements } from '../metrics/fixtures/statements.js';
import { ownQueue } from '../schema/fixtures/own-queue.js';

const { BEGIN, FINISHED, ERROR } = TASK_STATUS;

/** What became of each report: the status of its task, or the name of its error. */
const shown = (results: PromiseSettledResult<Task>[]): unknown[] =>
  results.map((result) =>
    result.status === 'fulfilled' ? result.value.status : (result.reason as { errorName: string }).errorName,
  );

describe.each(ENGINES)('reports on several tasks, on %s', (engine) => {
  const own = ownQueue(engine, { requireLease: true, maxAttempts: 1 });

  const claimed = async (count: number): Promise<Task[]> => {
    const one = { userId: 'u', input: 'x', status: BEGIN };
    await own.service.createMany(Array.from({ length: count }, () => one));
    return own.service.claim({ limit: count });
  };
  const end = ({ taskId, leaseToken }: Task, status: number = FINISHED) => ({
    taskId,
    leaseToken: leaseToken!,
    status,
  });

  it('judges each on its own, in the order of the reports', async () => {
    const [first, second, third, fourth] = await claimed(4);
    const stranger = '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c';
    const results = await own.service.reportMany([
      end(first!),
      { ...end(second!), leaseToken: stranger },
      { ...end(third!), taskId: stranger },
      { ...end(third!), taskId: 'no id' },
      { ...end(third!), leaseToken: undefined },
      { ...end(third!), status: BEGIN + 1 },
      end(fourth!, ERROR),
      // The second report on a task finds the result of the first.
      end(fourth!),
      end(first!),
    ]);
    expect(shown(results)).toEqual([
      FINISHED,
      'LEASE_LOST',
      'NOT_FOUND',
      'NOT_FOUND',
      'INVALID_PARAM',
      'INVALID_PARAM',
      ERROR,
      'LEASE_LOST',
      FINISHED,
    ]);
    const statuses = await Promise.all(
      [first, second, third, fourth].map(async (task) => (await own.service.get(task!.taskId)).status),
    );
    expect(statuses).toEqual([FINISHED, TASK_STATUS.START, TASK_STATUS.START, ERROR]);
  });

  it('tells listeners of each, and answers nothing for nothing', async () => {
    const heard: string[] = [];
    const stop = own.service.onTask(({ type, task }) => {
      if (type === 'finished') heard.push(task.taskId);
    });
    const tasks = await claimed(3);
    await own.service.reportMany(tasks.map((task) => end(task)));
    stop();
    expect(heard.sort()).toEqual(tasks.map(({ taskId }) => taskId).sort());
    expect(await own.service.reportMany([])).toEqual([]);
  });

  it('pauses a service for each report that asks for it', async () => {
    const [task] = await claimed(1);
    const [result] = await own.service.reportMany([{ ...end(task!), pauseService: 60 }]);
    expect(result!.status).toBe('fulfilled');
    const { service } = task!;
    expect((await own.service.operator.services()).find((one) => one.service === service)).toMatchObject({
      paused: true,
    });
    await own.service.operator.setService(service, { paused: false });
  });

  it('needs one transaction for a hundred', async () => {
    const tasks = await claimed(100);
    const { sent, stop } = noteStatements();
    const results = await own.service.reportMany(tasks.map((task) => end(task))).finally(stop);
    expect(new Set(shown(results))).toEqual(new Set([FINISHED]));
    // Whole tasks are read once. What looks for due tasks meanwhile reads ids.
    expect(sent.filter((text) => /^SELECT.*lease_token/.test(text))).toHaveLength(1);
  });
});
