import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { dataOf, expectFailure } from '../../support/answers.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

/** Names that a careless collation takes for one another. */
const OWNERS = ['alice', 'ALICE', 'alic\u00e9', 'alice\u0301', 'alice ', 'ａlice'];

describe.each(BATTERY)('owners on $engine with $adapter', (where) => {
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

/** A host's guard whose users have numbers. */
class NumberGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: unknown }>();
    request.user = { id: JSON.parse(decodeURIComponent(request.headers['x-user']!)) as unknown };
    return true;
  }
}

it('owners by number are those that a number keeps exactly', async () => {
  const host = await startHost({ engine: 'sqlite', adapter: 'express', options: { guards: [NumberGuard] } });
  const create = (id: string) => host.user(id, 'POST', '/api/tasks', { json: { input: id } });
  try {
    for (const id of ['0', '7', '9007199254740991', '"9007199254740993"']) {
      const { taskId } = dataOf(await create(id));
      expect((await host.tasks.get(taskId)).userId).toBe(id.replaceAll('"', ''));
    }
    // JavaScript takes the first two for one number.
    for (const id of ['9007199254740993', '9007199254740992', '-9007199254740993', '1e400', '1.5'])
      expectFailure(await create(id), 'INVALID_TOKEN');
  } finally {
    await host.close();
  }
});
