import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../../src/index.js';
import type { ListFilter } from '../../../src/queue/stores/list.store.js';
import type { TaskFilter } from '../../../src/queue/stores/ready.store.js';
import type { Row, Script } from '../../../src/database/transaction.js';
import { connect } from '../schema/fixtures/queue.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { backlog, costOf, storesOf } from './fixtures/cost.js';

const FEW = 20;
const MANY = 20_000;
/** Of the backlog. */
const SERVICES = 2;
const FILTERS: TaskFilter[] = [{ service: 'odd' }, { service: 'odd', group: 'g' }, {}];

describe.each(ENGINES)('what the queue reads on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    await runTaskMigrations(dataSource);
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  /** Of a claim that looks at the front, and of the next one, which has a hint where to look. */
  const claims = async (filter: TaskFilter, limit: number): Promise<[front: number, hinted: number]> => {
    const { ready } = storesOf(dataSource, engine);
    const find = function* (wanted: number): Script<Row[]> {
      return (yield* ready.find(filter, wanted)).rows;
    };
    const front = await costOf(dataSource, engine, () => find(limit));
    expect(front.result).toHaveLength(limit);
    // The last one that the first claim found is there again: its transaction was undone.
    const hinted = await costOf(dataSource, engine, () => find(1));
    expect(hinted.result).toHaveLength(1);
    return [front.read, hinted.read];
  };

  const few = new Map<string, number[]>();
  it('counts reads at all', async () => {
    await backlog(dataSource, engine, FEW, TASK_STATUS.BEGIN);
    for (const filter of FILTERS)
      for (const limit of [1, FEW / 2]) {
        const reads = await claims(filter, limit);
        few.set(JSON.stringify([filter, limit]), reads);
        expect(reads[0]).toBeGreaterThanOrEqual(limit);
        expect(reads[1]).toBeGreaterThanOrEqual(1);
      }
  });

  it.each([
    ['ready', TASK_STATUS.BEGIN],
    ['delayed, too', TASK_STATUS.WAITING],
    ['leased, too', TASK_STATUS.START],
  ])(`reads no more for a claim with ${MANY} tasks %s`, async (_, status) => {
    await backlog(dataSource, engine, MANY, status);
    for (const filter of FILTERS)
      for (const limit of [1, FEW / 2]) {
        const before = few.get(JSON.stringify([filter, limit]))!;
        const reads = await claims(filter, limit);
        for (const [index, read] of reads.entries()) expect(read).toBeLessThanOrEqual(before[index]! * 1.25);
        // Two rows a task: the ready row and the task. A claim of any service finds the services first, and merges as
        // many heads of each as it may take: each is read from the index, and again from the union.
        const merge = (tasks: number): number => 16 + SERVICES * 2 * tasks;
        const bound = (tasks: number): number => 2 * tasks + (filter.service === undefined ? merge(tasks) : 1);
        if (engine === 'sqlite') continue;
        expect(reads[0]).toBeLessThanOrEqual(bound(limit));
        expect(reads[1]).toBeLessThanOrEqual(bound(1));
      }
  });

  it('reads a page of a list, however deep, and nothing else', async () => {
    const { lists } = storesOf(dataSource, engine);
    const page = { userId: 'alice', offset: 0, limit: 5 };
    const list = (filter: ListFilter) => costOf(dataSource, engine, () => lists.list(filter, () => true));
    const first = await list(page);
    const middle = await list({ ...page, offset: 1000 });
    const deep = await list({ ...page, after: middle.result.next });
    expect(deep.result.tasks).toHaveLength(5);
    expect(deep.read).toBeLessThanOrEqual(first.read * 2 + 50);
  });

  it('reads what is due, and nothing else', async () => {
    const { due } = storesOf(dataSource, engine);
    const none = await costOf(dataSource, engine, () => due.ids(100));
    expect(none.result.ids).toEqual([]);
    await dataSource.query("UPDATE tasks SET run_at = '2026-01-01' WHERE id = 'backlog-20050'");
    const one = await costOf(dataSource, engine, () => due.ids(100));
    expect(one.result.ids).toEqual(['backlog-20050']);
    expect(one.read - none.read).toBeLessThan(engine === 'sqlite' ? 60 : 5);
  });
});
