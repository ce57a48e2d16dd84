import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { until } from '../../support/until.js';
import { countsOf } from './fixtures/rows.js';
import { noteStatements } from './fixtures/statements.js';

const { BEGIN, FINISHED, ERROR } = TASK_STATUS;

describe.each(ENGINES)('metrics on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource, { metrics: true, maxAttempts: 2 });
  });
  afterEach(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });

  const create = (service: string, count = 1) =>
    queue.service.createMany(
      Array.from({ length: count }, () => ({ userId: 'alice', input: 'in', service, status: BEGIN })),
    );
  const claim = async (service: string) => (await queue.service.claim({ service, lease: 60, workerId: 'w' }))[0]!;
  const report = async (service: string, given: object) => {
    const { taskId, leaseToken } = await claim(service);
    return queue.service.report(taskId, { leaseToken: leaseToken!, ...given });
  };
  const lapse = (taskId: string) =>
    dataSource.query(`UPDATE tasks SET lease_expires_at = '2026-01-01 00:00:00' WHERE id = '${taskId}'`);

  it('count what became of tasks', async () => {
    await create('s', 4);
    await report('s', { status: FINISHED });
    await report('s', { status: ERROR, error: 'no' });
    await report('s', { status: ERROR, retry: true, delay: 0 });
    await report('s', { status: ERROR, retry: true, delay: 0 });
    await report('s', { status: BEGIN });
    const { taskId } = await claim('s');
    await lapse(taskId);
    await queue.sweep();
    await queue.service.cancel(taskId);
    await queue.sweep();
    expect(await countsOf(dataSource, 's')).toEqual({
      created: 4,
      started: 6,
      finished: 1,
      failed: 2,
      retried: 2,
      expired: 1,
      cancelled: 1,
    });
  });

  it('count a lost last attempt as failed, and a failure that is reported twice once', async () => {
    await create('s', 2);
    await dataSource.query('UPDATE tasks SET max_attempts = 1');
    const { taskId } = await claim('s');
    await lapse(taskId);
    await queue.sweep();
    const [old] = await queue.service.claim({ service: 's', legacy: true });
    for (const error of ['no', 'still no']) await queue.service.report(old!.taskId, { status: ERROR, error });
    await queue.sweep();
    expect(await countsOf(dataSource, 's')).toEqual({ created: 2, started: 2, failed: 2, expired: 1 });
  });

  it('time the wait since the task was ready, and the run since its claim', async () => {
    const [task] = await create('s');
    const ago = (seconds: number) =>
      engine === 'mysql'
        ? `UTC_TIMESTAMP(3) - INTERVAL ${seconds} SECOND`
        : engine === 'postgres'
          ? `statement_timestamp() - INTERVAL '${seconds} seconds'`
          : `strftime('%Y-%m-%d %H:%M:%f', 'now', '-${seconds} seconds')`;
    const set = (values: string) => dataSource.query(`UPDATE tasks SET ${values} WHERE id = '${task!.taskId}'`);
    // A task of last week that was run again five minutes ago.
    await set(`created_at = ${ago(600_000)}, updated_at = ${ago(310)}`);
    const { taskId, leaseToken } = await claim('s');
    await set(`started_at = ${ago(5000)}`);
    await queue.service.report(taskId, { leaseToken: leaseToken!, status: FINISHED });
    await queue.sweep();
    const [row] = await dataSource.query<Record<string, unknown>[]>(
      `SELECT SUM(wait_ms) AS wait, SUM(wait_1000000) AS waits, SUM(run_ms) AS run, SUM(run_10000000) AS runs
      FROM tasks_metrics WHERE service = 's'`,
    );
    const { wait, waits, run, runs } = Object.fromEntries(
      Object.entries(row!).map(([name, value]) => [name, Number(value)]),
    );
    expect([waits, runs]).toEqual([1, 1]);
    expect(wait).toBeGreaterThanOrEqual(309_000);
    expect(wait).toBeLessThan(900_000);
    expect(run).toBeGreaterThanOrEqual(4_999_000);
    expect(run).toBeLessThan(9_000_000);
  });

  it('are added up over all processes, also when they write at once', async () => {
    if (engine === 'sqlite') return;
    const other = await openQueue(dataSource, { metrics: true });
    try {
      for (let round = 0; round < 5; round++) {
        for (const each of [queue, other])
          await each.service.createMany([
            { userId: 'alice', input: 'in', service: 'a' },
            { userId: 'alice', input: 'in', service: 'b' },
          ]);
        await Promise.all([queue.sweep(), other.sweep()]);
      }
    } finally {
      await other.close();
    }
    for (const service of ['a', 'b']) expect(await countsOf(dataSource, service)).toEqual({ created: 10 });
  });

  it('are written when the queue closes, and kept while they cannot be written', async () => {
    await create('s', 3);
    await dataSource.query('ALTER TABLE tasks_metrics RENAME TO away');
    await expect(queue.sweep()).rejects.toThrow();
    await create('s', 2);
    await dataSource.query('ALTER TABLE away RENAME TO tasks_metrics');
    await queue.close();
    expect(await countsOf(dataSource, 's')).toEqual({ created: 5 });
    queue = await openQueue(dataSource, { metrics: true });
  });

  it('are deleted after their retention', async () => {
    await create('s');
    await queue.sweep();
    const minute = Math.floor(Date.now() / 60_000);
    const add = (service: string, days: number) =>
      dataSource.query(
        `INSERT INTO tasks_metrics (minute, service, created) VALUES (${minute - days * 1440}, '${service}', 1)`,
      );
    await add('old', 8);
    await add('kept', 6);
    await queue.sweep();
    const rows = await dataSource.query<{ service: string }[]>('SELECT service FROM tasks_metrics ORDER BY service');
    expect(rows.map(({ service }) => service)).toEqual(['kept', 's']);
    await queue.close();
    queue = await openQueue(dataSource, { metrics: true, metricsRetention: 0 });
    await add('old', 8);
    await queue.sweep();
    expect(await countsOf(dataSource, 'old')).toEqual({ created: 1 });
  });

  it('cost one statement for any number of tasks, and none without a look', async () => {
    const { sent, stop } = noteStatements();
    try {
      await create('s', 300);
      await create('t', 300);
      for (let n = 0; n < 5; n++) await report('s', { status: FINISHED });
      const ofMetrics = () => sent.filter((sql) => /tasks_(metrics|attempts)/.test(sql));
      expect(ofMetrics()).toEqual([]);
      await queue.sweep();
      expect(ofMetrics().filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1);
      sent.length = 0;
      await queue.sweep();
      expect(ofMetrics().filter((sql) => sql.startsWith('INSERT'))).toEqual([]);
    } finally {
      stop();
    }
  });

  it('cost nothing when they are off: the same statements, no hook and no timer', async () => {
    const { sent, stop } = noteStatements();
    await queue.close();
    const run = async (metrics: boolean | undefined): Promise<{ statements: string[]; timers: number }> => {
      queue = await openQueue(dataSource, metrics === undefined ? {} : { metrics });
      const timeouts = jest.spyOn(globalThis, 'setTimeout');
      queue.start();
      const timers = timeouts.mock.calls.length;
      timeouts.mockRestore();
      sent.length = 0;
      await create('s', 2);
      await report('s', { status: FINISHED });
      await report('s', { status: ERROR, retry: true });
      const statements = sent.filter(
        (sql) => /^(INSERT|UPDATE|DELETE)/.test(sql) || /metrics|attempts\b.*FROM/.test(sql),
      );
      await queue.close();
      return { statements, timers };
    };
    try {
      const off = await run(undefined);
      expect(off.statements.filter((sql) => /tasks_(metrics|attempts)/.test(sql))).toEqual([]);
      expect(await run(false)).toEqual(off);
      const on = await run(true);
      expect(on.timers).toBe(off.timers + 3);
      // The attempt that failed.
      expect(on.statements).toHaveLength(off.statements.length + 1);
      queue = await openQueue(dataSource, {});
    } finally {
      stop();
    }
  });

  it('are written by the running queue', async () => {
    queue.start();
    await create('s');
    await until('the counts are written', async () => (await countsOf(dataSource, 's')).created === 1);
  });
});
