import { beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_STATUS } from '../../../src/index.js';
import { tasksOfBatch } from '../../../src/batches/of-batch.js';
import type { Script } from '../../../src/database/transaction.js';
import { SearchStore } from '../../../src/queue/stores/search.store.js';
import type { SearchOptions, SearchResult } from '../../../src/queue/use-cases/search.js';
import { ENGINES } from '../../support/databases.js';
import { failure } from '../../support/failure.js';
import { until } from '../../support/until.js';
import { noteStatements } from '../metrics/fixtures/statements.js';
import { backlog, costOf, dialectOf } from '../queue/fixtures/cost.js';
import { ownQueue } from '../schema/fixtures/own-queue.js';
import { wholeReads } from './fixtures/plans.js';

const { BEGIN, CANCELLED, ERROR, FINISHED } = TASK_STATUS;
const alice = { userId: 'alice' };
const bob = { userId: 'bob' };
const parts = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ input: `${n}`, service: n % 2 === 0 ? 'even' : 'odd' }));

describe.each(ENGINES)("a search over a batch's tasks on %s", (engine) => {
  const own = ownQueue(engine, { batchUri: '/api/batches', batchRetention: 0 });
  const search = (options: SearchOptions): Promise<SearchResult> => own.service.operator.search(options);
  const found = async (options: SearchOptions): Promise<string[]> =>
    (await search({ pageNum: 1000, ...options })).list.map(({ taskId }) => taskId);
  const make = (count: number, owner = alice, seal = true) =>
    own.service.batches.create({ tasks: parts(count), seal }, owner);
  const paged = async (options: SearchOptions): Promise<SearchResult[]> => {
    const pages: SearchResult[] = [];
    let cursor: string | undefined;
    do {
      pages.push(await search({ ...options, cursor }));
      cursor = pages.at(-1)!.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return pages;
  };
  const idsOf = (pages: SearchResult[]): string[] => pages.flatMap(({ list }) => list.map(({ taskId }) => taskId));
  const endOf = (bulkId: string) =>
    until('the end of the bulk', async () => {
      const bulk = await own.service.operator.getBulk(bulkId);
      return bulk.state === 'done' && bulk;
    });
  const statuses = async (ids: string[]): Promise<number[]> => [
    ...new Set((await search({ ids, pageNum: 1000 })).list.map(({ status }) => status)),
  ];

  describe('finds', () => {
    let batchId: string;
    let taskIds: string[];
    beforeAll(async () => {
      ({ batchId, taskIds } = await make(6));
      await make(3);
      await own.service.createMany(parts(3).map((task) => ({ ...task, ...alice, status: BEGIN })));
      const [claimed] = await own.service.claim({ taskId: taskIds[3]!, workerId: 'w' });
      const report = { leaseToken: claimed!.leaseToken!, status: ERROR, error: 'CUDA' };
      await own.service.report(claimed!.taskId, report);
    });

    it('these tasks alone, newest first', async () => {
      expect(await search({ batchId })).toMatchObject({
        list: taskIds.toReversed().map((taskId) => ({ taskId, batchId })),
        nextCursor: null,
        searchedTo: null,
      });
    });

    it.each([
      ['service', { service: 'odd' }, [5, 3, 1]],
      ['status', { status: ERROR }, [3]],
      ['worker and error', { workerId: 'w', error: 'cuda' }, [3]],
      ['owner', alice, [5, 4, 3, 2, 1, 0]],
      ['another owner', bob, []],
      [
        'times around all',
        { createdFrom: '2020-01-01T00:00:00Z', createdTo: '2100-01-01T00:00:00Z' },
        [5, 4, 3, 2, 1, 0],
      ],
      ['a time after all', { createdFrom: '2100-01-01T00:00:00Z' }, []],
      ['a time before all', { createdTo: '2020-01-01T00:00:00Z' }, []],
    ])('those that fit another condition too: %s', async (_, options, places) => {
      expect(await found({ batchId, ...options })).toEqual(places.map((place) => taskIds[place]));
    });

    it('those of some ids, and none of other batches', async () => {
      const other = (await make(1)).taskIds[0]!;
      expect(await found({ batchId, ids: [taskIds[4]!, other, taskIds[0]!, 'nothing'] })).toEqual([
        taskIds[4],
        taskIds[0],
      ]);
      expect(await found({ batchId, ids: [] })).toEqual([]);
    });

    it.each(['nothing', "'", 'é', '{}'])('nothing for an id that no batch has: %s', async (id) =>
      expect(await search({ batchId: id })).toEqual({ list: [], nextCursor: null, searchedTo: null }),
    );

    it.each([
      ['too long', 'x'.repeat(37)],
      ['empty', ''],
      ['a list', [1, 2]],
      ['an object', {}],
    ])('a fault in an id that is %s', async (_, wrong) => {
      const filter = { batchId: wrong as string };
      expect(await failure(search(filter))).toEqual(['INVALID_PARAM', 'batchId']);
      expect(await failure(own.service.operator.bulk({ action: 'cancel', filter }))).toEqual([
        'INVALID_PARAM',
        'batchId',
      ]);
    });
  });

  it('goes on page by page, and past windows of deleted tasks', async () => {
    const { batchId, taskIds } = await make(260);
    const newest = taskIds.toReversed();
    expect(idsOf(await paged({ batchId, pageNum: 40 }))).toEqual(newest);
    // The first window has 200 rows. It ends with a task that is gone, and the page is full before.
    await own.service.remove(newest.slice(50, 230), alice);
    const pages = await paged({ batchId, pageNum: 50 });
    expect(pages.map(({ list }) => list.length)).toEqual([50, 30]);
    expect(idsOf(pages)).toEqual([...newest.slice(0, 50), ...newest.slice(230)]);
    const madeAt = Number.parseInt(newest[199]!.replace('-', '').slice(0, 12), 16);
    expect(pages[0]!.searchedTo?.getTime()).toBe(madeAt);
    expect(await own.service.operator.countBulk({ action: 'cancel', filter: { batchId } })).toEqual({
      count: 80,
      isExact: true,
    });
  });

  it('bounds a change of many tasks, which leaves tasks alone that are added later', async () => {
    const { batchId, taskIds } = await make(250, alice, false);
    const others = (await make(3)).taskIds;
    await own.service.remove(taskIds.slice(20, 40), alice);
    const { bulkId } = await own.service.operator.bulk({ action: 'cancel', filter: { batchId } });
    const later = (await own.service.batches.add(batchId, parts(1), alice)).taskIds;
    expect(await endOf(bulkId)).toMatchObject({ matched: 230, done: 230, failed: 0, filter: { batchId } });
    expect(await statuses([...taskIds.slice(0, 20), ...taskIds.slice(40)])).toEqual([CANCELLED]);
    expect(await statuses([...others, ...later])).toEqual([BEGIN]);
    const retry = await own.service.operator.bulk({ action: 'retry', filter: { batchId, service: 'odd' } });
    expect(await endOf(retry.bulkId)).toMatchObject({ matched: 115, done: 115 });
    const deleted = await own.service.operator.bulk({ action: 'delete', filter: { batchId } });
    expect(await endOf(deleted.bulkId)).toMatchObject({ matched: 231, done: 231 });
    expect(await found({ batchId })).toEqual([]);
  });

  it("lets a user change the tasks of the user's own batch, and of no other", async () => {
    const { batchId, taskIds } = await make(5, bob);
    const request = { action: 'cancel' as const, filter: { batchId } };
    expect(await own.service.bulks.count(request, alice)).toEqual({ count: 0, isExact: true });
    const { bulkId } = await own.service.bulks.start(request, alice);
    expect(await endOf(bulkId)).toMatchObject({ matched: 0 });
    expect(await statuses(taskIds)).toEqual([BEGIN]);
    expect(await endOf((await own.service.bulks.start(request, bob)).bulkId)).toMatchObject({ matched: 5, done: 5 });
    expect(await statuses(taskIds)).toEqual([CANCELLED]);
  });

  it('finds none once retention has deleted the batch, although its tasks are there', async () => {
    const { batchId, taskIds } = await make(2);
    for (const taskId of taskIds) {
      const [claimed] = await own.service.claim({ taskId });
      await own.service.report(taskId, { leaseToken: claimed!.leaseToken!, status: FINISHED });
    }
    expect(await found({ batchId })).toHaveLength(2);
    await until('the batch is deleted', async () => {
      await own.queue.sweep();
      return (await failure(own.service.batches.get(batchId)))?.[0] === 'NOT_FOUND';
    });
    expect(await found({ batchId })).toEqual([]);
    expect(await own.service.get(taskIds[0]!)).toMatchObject({ batchId });
  });

  it('reads the window of the batch, and nothing else, however many other tasks there are', async () => {
    const { batchId } = await make(3000);
    for (let n = 0; n < 20; n++)
      await own.dataSource.query(
        `INSERT INTO tasks_batch_members (batch_id, task_id)
          SELECT 'other ${n}', task_id FROM tasks_batch_members WHERE batch_id = '${batchId}'`,
      );
    if (engine !== 'sqlite')
      await own.dataSource.query(`ANALYZE ${engine === 'mysql' ? 'TABLE' : ''} tasks_batch_members`);
    const store = new SearchStore(dialectOf(engine), tasksOfBatch(dialectOf(engine)));
    const start = { created: null, taskId: '~' };
    const windows: [rows: number, () => Script<unknown>][] = [
      [200, () => store.window({ batchId, status: ERROR }, undefined, 200, 50)],
      [200, () => store.window({ batchId, service: 'odd', ...alice }, start, 200, 50)],
      [3000, () => store.count({ batchId, createdFrom: new Date('2020-01-01') }, undefined, 10_000)],
    ];
    const cost = async () => {
      const reads: number[] = [];
      for (const [, window] of windows) reads.push((await costOf(own.dataSource, engine, () => window())).read);
      return reads;
    };
    await backlog(own.dataSource, engine, 1000, FINISHED);
    const before = await cost();
    await backlog(own.dataSource, engine, 20_000, FINISHED);
    for (const [index, read] of (await cost()).entries()) {
      expect(read).toBeLessThanOrEqual(before[index]! * 1.25 + 50);
      // Of each row: the row, its task, the result, and the look for the end of the window.
      if (engine !== 'sqlite') expect(read).toBeLessThanOrEqual(windows[index]![0] * 5);
    }
    for (const [, window] of windows) expect(await wholeReads(own.dataSource, engine, window)).toEqual([]);
  });

  it('costs a search without a batch nothing', async () => {
    const { sent, stop } = noteStatements();
    await search({});
    await search(alice);
    await search({ service: 'odd', ids: ['nothing'] }).finally(stop);
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.filter((statement) => /batch_members/.test(statement))).toEqual([]);
  });
});
