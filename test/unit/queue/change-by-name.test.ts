import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, spread, startHost } from '../../support/host.js';

const { INIT, WAITING, BEGIN, START, ERROR, CANCELLED } = TASK_STATUS;

describe.each(spread(import.meta))('changes by name on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  /** A task in this status. */
  async function taskIn(status: number): Promise<string> {
    const { tasks } = host;
    const runAt = status === WAITING ? new Date(Date.now() + 3_600_000) : undefined;
    const first = status === INIT || status === WAITING ? undefined : BEGIN;
    const { taskId } = await tasks.create({ userId: 'alice', input: 'x', runAt, status: first });
    if (status === CANCELLED) await tasks.cancel(taskId);
    if (status === START || status === ERROR) {
      const [claimed] = await tasks.claim({ taskId });
      if (status === ERROR) await tasks.report(taskId, { leaseToken: claimed!.leaseToken!, status });
    }
    expect(await tasks.get(taskId)).toMatchObject({ status });
    return taskId;
  }

  it.each([
    [INIT, BEGIN],
    [WAITING, BEGIN],
    [BEGIN, BEGIN],
    [START, /user may move/],
    [ERROR, /has ended; use retry\(\) to run it again/],
    [CANCELLED, /has ended; use retry\(\) to run it again/],
  ])('markReady() of a task with status %s: %s', async (status, outcome) => {
    const taskId = await taskIn(status);
    const asked = host.tasks.markReady(taskId);
    if (typeof outcome === 'number') expect(await asked).toMatchObject({ status: outcome });
    else
      await expect(asked).rejects.toMatchObject({
        errorName: 'INVALID_STATE',
        detail: { status, msg: expect.stringMatching(outcome) },
      });
  });

  it.each([
    [INIT, /is a draft and has not run; use markReady\(\) to make it ready/],
    [WAITING, /waits for its time; use markReady\(\)/],
    [BEGIN, BEGIN],
    [START, /user may move/],
    [ERROR, BEGIN],
    [CANCELLED, BEGIN],
  ])('retry() of a task with status %s: %s', async (status, outcome) => {
    const taskId = await taskIn(status);
    const asked = host.tasks.retry(taskId);
    if (typeof outcome === 'number') expect(await asked).toMatchObject({ status: outcome, attempts: 0 });
    else
      await expect(asked).rejects.toMatchObject({
        errorName: 'INVALID_STATE',
        detail: { status, msg: expect.stringMatching(outcome) },
      });
  });

  it('of a task that is not there: NOT_FOUND', async () => {
    expect(await failure(host.tasks.retry('nothing'))).toEqual(['NOT_FOUND']);
  });
});
