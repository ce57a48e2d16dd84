import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type Task, TASK_STATUS } from '../../../src/index.js';
import type { SearchOptions } from '../../../src/queue/use-cases/search.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { noteStatements } from '../metrics/fixtures/statements.js';

const { BEGIN, ERROR } = TASK_STATUS;

describe.each(PLACES)("an operator's search on $engine", (where) => {
  let host: Host;
  let failed: string;
  beforeAll(async () => {
    host = await startHost(where);
    for (const userId of ['alice', 'bob'])
      await host.tasks.createMany(
        Array.from({ length: 30 }, (_, n) => ({
          userId,
          input: 'x',
          status: BEGIN,
          service: `service-${n % 3}`,
          group: n % 2 === 0 ? 'even' : undefined,
        })),
      );
    const [claimed] = await host.tasks.claim({ service: 'service-1', workerId: 'worker-7' });
    failed = claimed!.taskId;
    await host.tasks.report(failed, {
      leaseToken: claimed!.leaseToken!,
      status: ERROR,
      error: 'CUDA 100% out_of memory',
    });
  });
  afterAll(() => host?.close());

  const find = async (options: SearchOptions): Promise<Task[]> => (await host.tasks.operator.search(options)).list;

  it('finds tasks of all owners, newest first', async () => {
    const { list, nextCursor, searchedTo } = await host.tasks.operator.search({ pageNum: 100 });
    expect(list).toHaveLength(60);
    expect(new Set(list.map(({ userId }) => userId))).toEqual(new Set(['alice', 'bob']));
    expect(list.map(({ taskId }) => taskId)).toEqual(
      list
        .map(({ taskId }) => taskId)
        .toSorted()
        .toReversed(),
    );
    expect([nextCursor, searchedTo]).toEqual([null, null]);
  });

  it('finds the tasks of a schedule, of one owner or of all', async () => {
    const ids: string[] = [];
    for (const userId of ['eve', 'fay']) {
      await host.tasks.schedules.set('nightly', { cron: '@daily', task: { input: 'x' } }, { userId });
      ids.push((await host.tasks.schedules.run('nightly', { userId })).taskId);
    }
    const found = async (options: SearchOptions) => (await find(options)).map(({ taskId }) => taskId);
    expect(await found({ scheduleKey: 'nightly' })).toEqual(ids.toReversed());
    expect(await found({ scheduleKey: 'nightly', userId: 'eve' })).toEqual(ids.slice(0, 1));
    expect(await found({ scheduleKey: 'Nightly' })).toEqual([]);
    expect((await host.tasks.operator.remove(ids)).deleted).toHaveLength(2);
  });

  it.each([
    ['owner', { userId: 'bob' }, 30],
    ['service', { service: 'service-2' }, 20],
    ['group', { group: 'even' }, 30],
    ['status', { status: ERROR }, 1],
    ['worker', { workerId: 'worker-7' }, 1],
    ['the beginning of the error', { error: 'cuda 100%' }, 1],
    ['a pattern that is only text', { error: 'CUDA 1__%' }, 0],
    ['owner, service and group', { userId: 'bob', service: 'service-0', group: 'even' }, 5],
    ['a time before all', { createdTo: '2020-01-01T00:00:00Z' }, 0],
    ['a time after all', { createdFrom: '2100-01-01T00:00:00Z' }, 0],
    ['times around all', { createdFrom: '2020-01-01T00:00:00Z', createdTo: '2100-01-01T00:00:00+01:00' }, 60],
    ['an owner, and times around all', { userId: 'bob', createdFrom: '2020-01-01T00:00:00Z' }, 30],
    ['ids that there are none of', { ids: ['nothing'] }, 0],
  ])('by %s', async (_, options, count) => {
    expect(await find({ ...options, pageNum: 100 })).toHaveLength(count);
  });

  it('by ids, of one owner too', async () => {
    expect((await find({ ids: [failed, 'nothing'] })).map(({ taskId }) => taskId)).toEqual([failed]);
    const { userId } = await host.tasks.get(failed);
    expect(await find({ ids: [failed], userId })).toHaveLength(1);
    expect(await find({ ids: [failed], userId: 'nobody' })).toEqual([]);
  });

  it.each([{}, { userId: 'alice' }, { service: 'service-0' }])('pages through all of %j', async (filter) => {
    const all = await find({ ...filter, pageNum: 100 });
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await host.tasks.operator.search({ ...filter, pageNum: 7, cursor });
      ids.push(...page.list.map(({ taskId }) => taskId));
      expect(page.searchedTo === null).toBe(page.nextCursor === null);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(ids).toEqual(all.map(({ taskId }) => taskId));
  });

  it("ends an owner's search with the rows that have no time of creation", async () => {
    const dataSource = host.app.get(DataSource);
    const insert = `INSERT INTO tasks (id, user_id, service, status, input) VALUES ('%', 'olim', 'default', 0, 'x')`;
    for (const id of ['old-1', 'old-2']) await dataSource.query(insert.replace('%', id));
    await dataSource.query(`UPDATE tasks SET created_at = NULL WHERE user_id = 'olim'`);
    await host.tasks.create({ userId: 'olim', input: 'x' });
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await host.tasks.operator.search({ userId: 'olim', pageNum: 1, cursor });
      ids.push(...page.list.map(({ taskId }) => taskId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(ids.slice(1)).toEqual(['old-2', 'old-1']);
    expect(ids).toHaveLength(3);
    await dataSource.query(`DELETE FROM tasks WHERE user_id = 'olim'`);
  });

  it.each([
    ['cursor', { cursor: 'nonsense' }],
    ['pageNum', { pageNum: 0 }],
    ['error', { error: '' }],
    ['createdFrom', { createdFrom: 'yesterday' }],
    ['createdTo', { createdFrom: '2030-01-02T00:00:00Z', createdTo: '2030-01-01T00:00:00Z' }],
    ['service', { service: '' }],
  ])('refuses a wrong %s', async (field, options) => {
    expect(await failure(host.tasks.operator.search(options))).toEqual(['INVALID_PARAM', field]);
  });

  it('walks over few rows while they fit, and over more while they do not', async () => {
    await host.tasks.createMany(Array.from({ length: 1000 }, () => ({ userId: 'carol', input: 'x' })));
    const walked = async (options: SearchOptions): Promise<string[]> => {
      const { sent, stop } = noteStatements();
      await find(options).finally(stop);
      return sent.flatMap((sql) => /LIMIT (\d+)\) walked/.exec(sql)?.[1] ?? []);
    };
    expect(await walked({})).toEqual(['200']);
    expect(await walked({ pageNum: 300 })).toEqual(['301']);
    expect(await walked({ service: 'nowhere' })).toEqual(['200', '1000']);
  });
});
