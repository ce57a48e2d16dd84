import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, type Task, TASK_STATUS } from '../../src/index.js';
import type { TaskFilter } from '../../src/store/ready.store.js';
import type { Script } from '../../src/store/transaction.js';
import { connect } from '../migrations/fixtures/queue.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { backlog, costOf, storesOf } from './cost.js';

const FEW = 20;
const MANY = 20_000;
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
    const find = function* (wanted: number): Script<Task[]> {
      return (yield* ready.find(filter, wanted)).tasks;
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
        // Two rows a task: the ready row and the task. A claim of any service finds the services first.
        const bound = (tasks: number): number => 2 * tasks + (filter.service === undefined ? 16 : 1);
        if (engine === 'sqlite') continue;
        expect(reads[0]).toBeLessThanOrEqual(bound(limit));
        expect(reads[1]).toBeLessThanOrEqual(bound(1));
      }
  });

  it('reads a page of a list, however deep, and nothing else', async () => {
    const { lists } = storesOf(dataSource, engine);
    const page = { userId: 'alice', offset: 0, limit: 5 };
    const first = await costOf(dataSource, engine, () => lists.list(page));
    const middle = await costOf(dataSource, engine, () => lists.list({ ...page, offset: 1000 }));
    const deep = await costOf(dataSource, engine, () => lists.list({ ...page, after: middle.result.next }));
    expect(deep.result.tasks).toHaveLength(5);
    expect(deep.read).toBeLessThanOrEqual(first.read * 2 + 50);
  });

  it('reads what is due, and nothing else', async () => {
    const { due } = storesOf(dataSource, engine);
    const none = await costOf(dataSource, engine, () => due.ids(100));
    expect(none.result).toEqual([]);
    await dataSource.query("UPDATE tasks SET run_at = '2026-01-01' WHERE id = 'backlog-20050'");
    const one = await costOf(dataSource, engine, () => due.ids(100));
    expect(one.result).toEqual(['backlog-20050']);
    expect(one.read - none.read).toBeLessThan(engine === 'sqlite' ? 60 : 5);
  });
});
