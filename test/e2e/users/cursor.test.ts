import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataOf, expectFailure } from '../../support/answers.js';
import { type Host, PLACES, startHost } from '../../support/host.js';

describe.each(PLACES)('paging by cursor on $engine with $adapter', (where) => {
  let host: Host;
  let all: string[];
  beforeAll(async () => {
    host = await startHost(where);
    const make = (userId: string, count: number) =>
      host.tasks.createMany(
        Array.from({ length: count }, (_, index) => ({
          userId,
          input: 'in',
          group: `g${index % 2}`,
          status: index % 3 === 0 ? 10 : 0,
        })),
      );
    await make('alice', 60);
    await make('bob', 20);
    // Many of one millisecond, and some without any time, as PHP may leave them.
    const { query } = host.app.get(DataSource);
    const run = (sql: string) => query.call(host.app.get(DataSource), sql);
    await run("UPDATE tasks SET created_at = '2026-01-01 00:00:00.123' WHERE user_id = 'alice' AND status = 10");
    for (const id of ['n1', 'n2', 'n3'])
      await run(
        `INSERT INTO tasks (id, user_id, service, status, input, created_at) VALUES ('${id}', 'alice', 'default', 0, 'in', NULL)`,
      );
    all = ids(await list({ pageNum: 1000 }));
  });
  afterAll(() => host?.close());

  const ids = (data: any): string[] => data.list.map((task: { taskId: string }) => task.taskId);
  const list = async (query: Record<string, string | number>): Promise<any> =>
    dataOf(await host.user('alice', 'GET', '/api/tasks', { query }));
  async function walk(
    query: Record<string, string | number>,
    between?: (page: number) => Promise<unknown>,
  ): Promise<string[]> {
    const found: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; page === 0 || cursor !== null; page++) {
      const data: any = await list({ ...query, ...(cursor === null ? {} : { cursor }) });
      found.push(...ids(data));
      cursor = data.nextCursor;
      await between?.(page);
    }
    return found;
  }

  it.each([1, 7, 21, 63])('gives the whole list in pages of %d', async (pageNum) => {
    expect(all).toHaveLength(63);
    expect(await walk({ pageNum })).toEqual(all);
  });

  it('goes with filters by status and group', async () => {
    const filters: Record<string, string | number>[] = [{ status: 10 }, { group: 'g1' }, { status: 10, group: 'g0' }];
    for (const query of filters) {
      const whole = ids(await list({ ...query, pageNum: 1000 }));
      expect(whole.length).toBeGreaterThan(5);
      expect(await walk({ ...query, pageNum: 4 })).toEqual(whole);
    }
    expect((await list({ status: 30 })).list).toEqual([]);
  });

  it('stays in place while tasks are added and deleted', async () => {
    const found = await walk({ pageNum: 10 }, async (page) => {
      const { taskId } = await host.tasks.create({ userId: 'alice', input: 'new' });
      if (page % 2 === 0) await host.tasks.remove([taskId], { userId: 'alice' });
    });
    expect(found).toEqual(all);
  });

  it('pages go on by either way, and the end has no cursor', async () => {
    const first = await list({ page: 1, pageNum: 5 });
    const second = await list({ cursor: first.nextCursor, pageNum: 5 });
    expect(ids(second)).toEqual(ids(await list({ page: 2, pageNum: 5 })));
    expect((await list({ ids: JSON.stringify(all.slice(0, 2)) })).nextCursor).toBeNull();
    expect((await list({ page: 500 })).nextCursor).toBeNull();
  });

  it("another user's cursor shows nothing of theirs", async () => {
    const { nextCursor } = dataOf(await host.user('bob', 'GET', '/api/tasks', { query: { pageNum: 2 } }));
    for (const id of ids(await list({ cursor: nextCursor, pageNum: 1000 }))) expect(all).toContain(id);
  });

  it.each([
    'x',
    'bnVsbA',
    Buffer.from('["2026-02-31 00:00:00.000","a"]').toString('base64url'),
    Buffer.from(`["' OR 1=1","a"]`).toString('base64url'),
    Buffer.from('[1,2]').toString('base64url'),
    Buffer.from('["2026-01-01 00:00:00","é"]').toString('base64url'),
  ])('refuses %s as a cursor', async (cursor) => {
    expectFailure(await host.user('alice', 'GET', '/api/tasks', { query: { cursor } }), 'INVALID_PARAM', [
      'cursor',
      'cursor',
    ]);
  });

  it('refuses a page beside a cursor, and a status that is none', async () => {
    const { nextCursor: cursor } = await list({ pageNum: 1 });
    expectFailure(await host.user('alice', 'GET', '/api/tasks', { query: { cursor, page: 2 } }), 'INVALID_PARAM', [
      'page',
      'either',
    ]);
    expectFailure(await host.user('alice', 'GET', '/api/tasks', { query: { status: 'ready' } }), 'INVALID_PARAM', [
      'status',
      'isInt',
    ]);
  });
});
