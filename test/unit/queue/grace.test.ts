import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import { OutageWatch } from '../../../src/maintenance/outage-watch.js';
import { SteadyClock } from '../../../src/database/steady-clock.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { costOf, storesOf } from './fixtures/cost.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { until } from '../../support/until.js';

const { BEGIN, START, FINISHED } = TASK_STATUS;
const HOUR = 3_600_000;

/** What a test does to tasks of a queue that it opens and closes. */
function kit(dataSource: () => DataSource, queue: () => TaskQueue) {
  const taken = async (lease: number): Promise<{ taskId: string; leaseToken: string }> => {
    const { taskId } = await queue().service.create({ userId: 'alice', input: 'in', status: BEGIN });
    const [task] = await queue().service.claim({ taskId, workerId: 'w', lease });
    return { taskId, leaseToken: task!.leaseToken! };
  };
  const statusOf = async (taskId: string): Promise<number> => (await queue().service.get(taskId)).status;
  const past = (column: string, taskId: string) =>
    dataSource().query(`UPDATE tasks SET ${column} = '2026-01-01 00:00:00.000' WHERE id = '${taskId}'`);
  /** Ends once the sweeper has looked: the same look moves a task that is due. */
  const looked = async (): Promise<void> => {
    const runAt = new Date(Date.now() + 10 * HOUR);
    const { taskId } = await queue().service.create({ userId: 'alice', input: 'in', runAt });
    await past('run_at', taskId);
    await until('the sweeper has looked', async () => (await statusOf(taskId)) === BEGIN);
  };
  return { taken, statusOf, past, looked };
}

describe.each(ENGINES)('leases that ran out while no server was there, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeAll(async () => {
    database = await borrowDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource);
  });
  afterAll(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await giveBack(database);
  });
  const { taken, statusOf, past, looked } = kit(
    () => dataSource,
    () => queue,
  );

  it('have half of their length for a word of their workers; then they lapse', async () => {
    const [alive, dead] = [await taken(60), await taken(2)];
    await queue.close();
    for (const { taskId } of [alive, dead]) await past('lease_expires_at', taskId);
    queue = await openQueue(dataSource);
    queue.start();
    await looked();
    await until('the dead one lapses', async () => (await statusOf(dead.taskId)) === BEGIN);
    expect(await statusOf(alive.taskId)).toBe(START);
    await queue.service.heartbeat(alive.taskId, alive);
    await looked();
    const ended = await queue.service.report(alive.taskId, { ...alive, status: FINISHED, output: 'out' });
    expect(ended).toMatchObject({ status: FINISHED, output: 'out', attempts: 1 });
  });

  it('hold no longer than they can where the clock was set back', async () => {
    const { taskId } = await taken(60);
    await dataSource.query(`UPDATE tasks SET lease_expires_at = '2099-01-01 00:00:00.000' WHERE id = '${taskId}'`);
    const { due } = storesOf(dataSource, engine);
    const { result } = await costOf(dataSource, engine, function* () {
      const shortened = yield* due.shorten(10);
      return [shortened, yield* due.shorten(10)];
    });
    expect(result).toEqual([1, 0]);
  });
});

describe('a clock of SQLite that is set', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  let offset = 0;
  beforeEach(async () => {
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + offset);
    database = await createDatabase('sqlite');
    dataSource = await connect(database);
    queue = await openQueue(dataSource);
  });
  afterEach(async () => {
    offset = 0;
    jest.restoreAllMocks();
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });
  const { taken, statusOf, looked } = kit(
    () => dataSource,
    () => queue,
  );

  it('back, and right again: leases hold as long as they say', async () => {
    queue.start();
    await looked();
    const before = await taken(1);
    offset = -HOUR;
    const meanwhile = await taken(300);
    await until('the short one lapses', async () => (await statusOf(before.taskId)) === BEGIN);
    offset = 0;
    await looked();
    await looked();
    expect(await statusOf(meanwhile.taskId)).toBe(START);
  });

  it('forwards: leases have the grace of an outage', async () => {
    queue.start();
    await looked();
    const [alive, dead] = [await taken(300), await taken(2)];
    offset = HOUR;
    await until('the dead one lapses', async () => (await statusOf(dead.taskId)) === BEGIN);
    expect(await statusOf(alive.taskId)).toBe(START);
  });

  it('back while no server is there: leases hold as if they had just been renewed', async () => {
    await queue.close();
    offset = HOUR;
    queue = await openQueue(dataSource);
    const task = await taken(1);
    await queue.close();
    offset = 0;
    queue = await openQueue(dataSource);
    queue.start();
    await until('it lapses', async () => (await statusOf(task.taskId)) === BEGIN);
  });
});

describe('a steady clock', () => {
  it('never goes back, follows steps forwards, and is slower while it is ahead', () => {
    let [wall, monotonic] = [1_000_000, 0];
    const clock = new SteadyClock(
      () => wall,
      () => monotonic,
    );
    const pass = (ms: number, step = 0): number => {
      wall += ms + step;
      monotonic += ms;
      return clock.now();
    };
    expect(pass(1000)).toBe(1_001_000);
    expect(pass(1000, -HOUR)).toBe(1_001_900);
    expect(pass(10_000)).toBe(1_010_900);
    // It has caught up after ten times the step.
    expect(pass(10 * HOUR)).toBe(wall);
    expect(pass(0, 500)).toBe(wall);
  });
});

describe('a watch over leases', () => {
  it('begins anew after a gap between looks, and where the database has another time', () => {
    let now = 0;
    const watch = new OutageWatch(() => now);
    const look = (ms: number, step = 0): [number, string] => {
      now += ms;
      return [watch.look(), watch.looked(new Date(1_000_000 + now + step))];
    };
    expect(look(1000)).toEqual([0, 'steady']);
    expect(look(1000)).toEqual([1, 'steady']);
    // It failed meanwhile.
    now += 8000;
    expect([watch.look(), watch.look()]).toEqual([0, 0]);
    expect(look(1000)).toEqual([0, 'steady']);
    expect(look(2000)).toEqual([2, 'steady']);
    expect(look(1000, HOUR)).toEqual([3, 'forwards']);
    expect(look(1000, HOUR)).toEqual([1, 'steady']);
    expect(look(1000, 0)).toEqual([2, 'back']);
  });
});
