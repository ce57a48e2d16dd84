import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../support/answers.js';
import { type Host, MATRIX, startHost } from '../support/host.js';

/** Names that a careless collation takes for one another. */
const OWNERS = ['alice', 'ALICE', 'alic\u00e9', 'alice\u0301', 'alice ', 'ａlice'];

describe.each(MATRIX)('owners on $engine with $adapter', (where) => {
  let host: Host;
  /** One draft each, in the order of OWNERS. */
  let ids: string[];

  beforeAll(async () => {
    host = await startHost(where);
    ids = [];
    for (const owner of OWNERS) {
      const answer = await host.user(owner, 'POST', '/api/tasks', { json: { input: owner } });
      ids.push(dataOf(answer).taskId);
    }
  });
  afterAll(() => host?.close());

  const others = (owner: string): string[] => ids.filter((_, index) => OWNERS[index] !== owner);

  it.each(OWNERS)('%j sees the own task only, whatever ids are sent', async (owner) => {
    const own = ids[OWNERS.indexOf(owner)];
    const sent: Record<string, string>[] = [{}, { ids: JSON.stringify(ids) }, { userId: OWNERS[0]!, pageNum: '1000' }];
    for (const query of sent) {
      const { list } = dataOf(await host.user(owner, 'GET', '/api/tasks', { query }));
      expect(list).toEqual([expect.objectContaining({ taskId: own, input: owner })]);
    }
    expect(dataOf(await host.user(owner, 'GET', `/api/tasks/${own}`)).input).toBe(owner);
    for (const taskId of others(owner))
      expectFailure(await host.user(owner, 'GET', `/api/tasks/${taskId}`), 'INVALID_ACCESS');
  });

  it.each(OWNERS)("%j changes and deletes nobody else's task, whatever ids are sent", async (owner) => {
    for (const taskId of others(owner)) {
      const json = { input: 'stolen', status: 10 };
      expectFailure(await host.user(owner, 'PUT', `/api/tasks/${taskId}`, { json }), 'NOT_FOUND');
      expectFailure(await host.user(owner, 'POST', `/api/tasks/${taskId}`, { json }), 'NOT_FOUND');
    }
    const answer = await host.user(owner, 'DELETE', '/api/tasks', { json: { ids: others(owner), userId: 'alice' } });
    expect(dataOf(answer)).toEqual({
      deleted: [],
      notDeleted: others(owner).map((taskId) => ({ taskId, code: 14001, msg: 'not found' })),
    });
    for (const [index, taskId] of ids.entries())
      expect(await host.tasks.get(taskId)).toMatchObject({ userId: OWNERS[index], input: OWNERS[index], status: 0 });
  });
});
