import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, TASK_STATUS } from '../../../src/index.js';
import { GaugeStore } from '../../../src/metrics/gauge.store.js';
import type { ServiceGauges } from '../../../src/metrics/queue-gauges.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { backlog, costOf, dialectOf } from '../queue/fixtures/cost.js';

const { BEGIN, WAITING, START, FINISHED } = TASK_STATUS;

describe.each(ENGINES)('what is in the queue now, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource, { services: { named: {} }, metrics: true });
  });
  afterEach(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });

  const create = (service: string, count: number, more: object = {}) =>
    queue.service.createMany(
      Array.from({ length: count }, () => ({ userId: 'alice', input: 'in', service, status: BEGIN, ...more })),
    );
  const ago = (seconds: number) =>
    engine === 'mysql'
      ? `UTC_TIMESTAMP(3) - INTERVAL ${seconds} SECOND`
      : engine === 'postgres'
        ? `statement_timestamp() - INTERVAL '${seconds} seconds'`
        : `strftime('%Y-%m-%d %H:%M:%f', 'now', '-${seconds} seconds')`;
  const gauges = async (): Promise<Record<string, ServiceGauges>> =>
    Object.fromEntries((await queue.service.metrics.now()).map((row) => [row.service, row]));

  it('is counted by service: ready, waiting, running, and nothing of what is a draft or has ended', async () => {
    await create('a', 3);
    await create('a', 2, { status: TASK_STATUS.INIT });
    await create('a', 4, { runAt: new Date(Date.now() + 3_600_000), status: undefined });
    await create('b', 3);
    const [one] = await queue.service.claim({ service: 'b', limit: 2, lease: 60 });
    await queue.service.report(one!.taskId, { leaseToken: one!.leaseToken!, status: FINISHED });
    const row = { oldestReadySeconds: expect.any(Number), atLeast: [] };
    expect(await gauges()).toEqual({
      a: { service: 'a', ready: 3, waiting: 4, running: 0, ...row },
      b: { service: 'b', ready: 1, waiting: 0, running: 1, ...row },
      // Services of the options are there without a task.
      default: { service: 'default', ready: 0, waiting: 0, running: 0, oldestReadySeconds: null, atLeast: [] },
      named: { service: 'named', ready: 0, waiting: 0, running: 0, oldestReadySeconds: null, atLeast: [] },
    });
  });

  it('shows a service for an hour after something happened to it', async () => {
    await create('gone', 1);
    const [task] = await queue.service.claim({ service: 'gone' });
    await queue.service.report(task!.taskId, { leaseToken: task!.leaseToken!, status: FINISHED });
    await queue.sweep();
    expect(Object.keys(await gauges())).toContain('gone');
  });

  it('tells since when the oldest task is ready: not since when it was created, and of the lowest priority, too', async () => {
    const [first, second] = await create('a', 2);
    const set = (taskId: string, values: string) =>
      dataSource.query(`UPDATE tasks SET ${values} WHERE id = '${taskId}'`);
    await set(first!.taskId, `created_at = ${ago(90_000)}, updated_at = ${ago(20)}`);
    await set(second!.taskId, `updated_at = ${ago(300)}`);
    await create('b', 150);
    const [starving] = await create('b', 1, { priority: 7 });
    await create('b', 1, { priority: 3 });
    await set(starving!.taskId, `updated_at = ${ago(5000)}`);
    const { a, b } = await gauges();
    const around = (seconds: number, least: number) => {
      expect(seconds).toBeGreaterThanOrEqual(least);
      expect(seconds).toBeLessThan(least + 3600);
    };
    around(a!.oldestReadySeconds!, 300);
    around(b!.oldestReadySeconds!, 5000);
  });

  it('tells 200 services apart, and counts the rest together', async () => {
    const services = Array.from({ length: 230 }, (_, n) => `invented-${String(n).padStart(3, '0')}`);
    await queue.service.createMany(
      services.map((service) => ({ userId: 'alice', input: 'in', service, status: BEGIN })),
    );
    const rows = await queue.service.metrics.now();
    expect(rows).toHaveLength(201);
    expect(rows[0]).toMatchObject({ service: '', ready: 32 });
    expect(rows.reduce((sum, { ready }) => sum + ready, 0)).toBe(230);
  });

  it('is answered from memory for 2 s, by one reading for all that ask', async () => {
    await create('a', 1);
    const answers = await Promise.all([queue.service.metrics.now(), queue.service.metrics.now()]);
    expect(answers[0]).toBe(answers[1]);
  });
});

describe.each(ENGINES)('what the gauges read on %s', (engine) => {
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

  const READY = 3000;
  it('is what they count, however many tasks have ended', async () => {
    const store = new GaugeStore(dialectOf(engine));
    const cost = async () => {
      const ready = await costOf(dataSource, engine, () => store.readyOf(['odd', 'even']));
      expect(ready.result.get('odd')).toEqual({ count: READY / 2, isMore: false });
      const oldest = await costOf(dataSource, engine, () => store.oldestReady(['odd', 'even']));
      expect(oldest.result.size).toBe(2);
      const due = await costOf(dataSource, engine, () => store.due());
      expect(due.result.counts.map(({ status, count }) => [status, count])).toEqual([
        [WAITING, 500],
        [WAITING, 500],
        [START, 250],
        [START, 250],
      ]);
      return { ready: ready.read, oldest: oldest.read, due: due.read };
    };
    await backlog(dataSource, engine, READY, BEGIN);
    await backlog(dataSource, engine, 1000, WAITING);
    await backlog(dataSource, engine, 500, START);
    const before = await cost();
    await backlog(dataSource, engine, 30_000, FINISHED);
    const after = await cost();
    for (const part of ['ready', 'oldest', 'due'] as const)
      expect([part, after[part] <= before[part] * 1.25 + 50]).toEqual([part, true]);
    if (engine === 'sqlite') return;
    // The first 1,000 of each service, and then all of it; 100 at each end of each service, with their tasks. MySQL reads
    // a part of a statement twice.
    const twice = engine === 'mysql' ? 2 : 1;
    expect(after.ready).toBeLessThanOrEqual(twice * (2 * 1002 + READY) + 50);
    expect(after.oldest).toBeLessThanOrEqual(twice * 2 * 2 * 2 * 102 + 50);
  });

  it('is bounded', async () => {
    const store = new GaugeStore(dialectOf(engine), 1200);
    const { result } = await costOf(dataSource, engine, () => store.readyOf(['odd', 'even', 'none']));
    for (const service of ['odd', 'even']) expect(result.get(service)).toEqual({ count: 1200, isMore: true });
    expect(result.get('none')).toEqual({ count: 0, isMore: false });
    expect((await costOf(dataSource, engine, () => store.ready())).result).toEqual({ count: 1200, isMore: true });
    const due = await costOf(dataSource, engine, () => store.due());
    expect(due.result.isMore).toBe(true);
  });
});
