import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const { INIT, BEGIN, ERROR, CANCELLED } = TASK_STATUS;

describe.each(PLACES)('changes of many tasks on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { operatorTokens: ['an-operator-token-0123456789'] } });
  });
  afterAll(() => host?.close());

  const create = async (
    count: number,
    service: string,
    userId = 'alice',
    status: number = BEGIN,
  ): Promise<string[]> => {
    const tasks = Array.from({ length: count }, () => ({ userId, input: 'x', service, status }));
    return (await host.tasks.createMany(tasks)).map(({ taskId }) => taskId);
  };
  const ended = (bulkId: string) =>
    until('the end of the bulk', async () => {
      const bulk = await host.tasks.operator.getBulk(bulkId);
      return bulk.state === 'running' ? undefined : bulk;
    });
  const statuses = async (ids: string[]): Promise<number[]> => {
    const found = await Promise.all(ids.map((id) => host.tasks.get(id)));
    return [...new Set(found.map(({ status }) => status))];
  };

  it('cancels, runs again and deletes what fits, in several transactions, and nothing else', async () => {
    const { operator } = host.tasks;
    const ids = await create(250, 'many');
    const others = await create(3, 'others');
    const filter = { service: 'many' };
    expect(await operator.countBulk({ action: 'cancel', filter })).toEqual({ count: 250, isExact: true });
    const cancelled = await ended((await operator.bulk({ action: 'cancel', filter }, { by: 'olga' })).bulkId);
    expect(cancelled).toMatchObject({ state: 'done', matched: 250, done: 250, failed: 0, requestedBy: 'olga' });
    expect(await statuses(ids)).toEqual([CANCELLED]);
    const again = await ended(
      (await operator.bulk({ action: 'retry', filter: { ...filter, status: CANCELLED } })).bulkId,
    );
    expect(again).toMatchObject({ matched: 250, done: 250 });
    expect(await statuses(ids)).toEqual([BEGIN]);
    const [claimed] = await host.tasks.claim({ service: 'many' });
    const deleted = await ended((await operator.bulk({ action: 'delete', filter })).bulkId);
    // A worker holds one of them.
    expect(deleted).toMatchObject({ matched: 249, done: 249 });
    expect(await host.tasks.get(claimed!.taskId)).toMatchObject({ status: 20 });
    expect(await statuses(others)).toEqual([BEGIN]);
  });

  it('tells the hooks of each task, and wakes claims that wait', async () => {
    const [taskId] = await create(1, 'woken');
    await host.tasks.cancel(taskId!);
    const heard: string[] = [];
    const stop = host.tasks.onTask(({ type, task }) => void heard.push(`${type} ${task.taskId}`));
    const claim = host.tasks.claim({ service: 'woken', wait: 30 });
    await host.tasks.operator.bulk({ action: 'retry', filter: { service: 'woken' } });
    expect(await claim).toMatchObject([{ taskId }]);
    await until('both events', () => heard.length >= 2);
    stop();
    expect(heard).toEqual([`ready ${taskId}`, `started ${taskId}`]);
  });

  it("of a user concerns that user's tasks alone, and only the user sees it", async () => {
    const own = await create(120, 'shared', 'bob', INIT);
    const others = await create(5, 'shared', 'carol', INIT);
    const { bulkId } = await host.tasks.bulks.start({ action: 'cancel', all: true }, { userId: 'bob' });
    expect(await ended(bulkId)).toMatchObject({ done: 120, userId: 'bob', requestedBy: 'bob' });
    expect(await statuses(own)).toEqual([CANCELLED]);
    expect(await statuses(others)).toEqual([INIT]);
    expect(await host.tasks.bulks.get(bulkId, { userId: 'bob' })).toMatchObject({ bulkId });
    expect(await failure(host.tasks.bulks.get(bulkId, { userId: 'carol' }))).toEqual(['NOT_FOUND']);
    const { list } = await host.tasks.bulks.list({ userId: 'bob' });
    expect(list.map((bulk) => bulk.bulkId)).toEqual([bulkId]);
  });

  it('counts tasks that the quota refuses as failed', async () => {
    const limited = await startHost({
      ...where,
      options: { maxActiveTasks: 3, operatorTokens: ['an-operator-token-0123456789'] },
    });
    try {
      for (let n = 0; n < 5; n++) {
        const { taskId } = await limited.tasks.create({ userId: 'dora', input: 'x', status: BEGIN });
        const [claimed] = await limited.tasks.claim({ taskId });
        await limited.tasks.report(taskId, { leaseToken: claimed!.leaseToken!, status: ERROR, error: 'no' });
      }
      const { bulkId } = await limited.tasks.operator.bulk({ action: 'retry', filter: { error: 'NO' } });
      const bulk = await until('the end', async () => {
        const state = await limited.tasks.operator.getBulk(bulkId);
        return state.state === 'done' ? state : undefined;
      });
      expect(bulk).toMatchObject({ matched: 5, done: 3, failed: 2 });
    } finally {
      await limited.close();
    }
  });

  it('leaves tasks alone that are created later, and stops when it is told to', async () => {
    await create(300, 'stopped');
    const { bulkId } = await host.tasks.operator.bulk({ action: 'cancel', filter: { service: 'stopped' } });
    const [later] = await create(1, 'stopped');
    const { state, done } = await host.tasks.operator.abortBulk(bulkId);
    expect(['aborted', 'done']).toContain(state);
    expect(await host.tasks.operator.getBulk(bulkId)).toMatchObject({ state });
    expect(done).toBeLessThanOrEqual(300);
    const rest = await host.tasks.operator.bulk({ action: 'cancel', filter: { service: 'stopped', userId: 'nobody' } });
    expect(await ended(rest.bulkId)).toMatchObject({ matched: 0, state: 'done' });
    expect(await statuses([later!])).toEqual([BEGIN]);
  });

  it.each([
    ['no filter', { action: 'cancel' as const }, 'filter'],
    ['an empty filter', { action: 'delete' as const, filter: { status: undefined } }, 'filter'],
    ['a misspelt condition', { action: 'cancel' as const, filter: { servce: 'x' } as never }, 'filter.servce'],
    ['an unknown action', { action: 'finish' as never, all: true }, 'action'],
    ['a wrong status', { action: 'cancel' as const, filter: { status: 'x' as never } }, 'status'],
    [
      'times in the wrong order',
      { action: 'cancel' as const, filter: { createdFrom: new Date(2), createdTo: new Date(1) } },
      'createdTo',
    ],
  ])('refuses %s', async (_, request, field) => {
    expect(await failure(host.tasks.operator.bulk(request))).toEqual(['INVALID_PARAM', field]);
  });
});
