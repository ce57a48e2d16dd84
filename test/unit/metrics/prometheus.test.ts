import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import promClient from 'prom-client';
import { type DataSource, Entity } from 'typeorm';
import { Task, TASK_STATUS, type TaskModuleOptions } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { familiesIn, type Sample, samplesIn } from './fixtures/exposition.js';

const { BEGIN, FINISHED, ERROR } = TASK_STATUS;
const { Counter, Registry } = promClient;

@Entity('others', { synchronize: false })
class Other extends Task {}

/** Of all metrics: the type. */
const METRICS = {
  softdd_task_ready: 'gauge',
  softdd_task_waiting: 'gauge',
  softdd_task_running: 'gauge',
  softdd_task_oldest_ready_age_seconds: 'gauge',
  softdd_task_callbacks: 'gauge',
  softdd_task_paused: 'gauge',
  softdd_task_max_running: 'gauge',
  softdd_task_limited: 'gauge',
  softdd_task_created: 'counter',
  softdd_task_claimed: 'counter',
  softdd_task_ended: 'counter',
  softdd_task_retried: 'counter',
  softdd_task_lease_expired: 'counter',
  softdd_task_wait_seconds: 'histogram',
  softdd_task_run_seconds: 'histogram',
  softdd_task_poll_seconds: 'histogram',
  softdd_task_claim_seconds: 'histogram',
  softdd_task_transaction_seconds: 'histogram',
};

describe.each(ENGINES)('metrics for Prometheus on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database, { entities: [Task, Other] });
  });
  afterEach(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });
  const open = async (options: TaskModuleOptions) => (queue = await openQueue(dataSource, options));

  const create = (service: string, count = 1, more: object = {}) =>
    queue.service.createMany(
      Array.from({ length: count }, () => ({ userId: 'alice', input: 'in', service, status: BEGIN, ...more })),
    );
  const report = async (service: string, given: object) => {
    const [task] = await queue.service.claim({ service, lease: 60 });
    await queue.service.report(task!.taskId, { leaseToken: task!.leaseToken!, ...given });
  };
  const read = async () => samplesIn((await queue.service.metrics.metricsText()).text);
  const valueOf = (samples: Sample[], name: string, labels: Record<string, string>) =>
    samples.find(
      (sample) =>
        sample.name === `softdd_task_${name}` &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )?.value;

  it('are what the parser of Prometheus reads', async () => {
    await open({ metrics: true });
    await create('odd "name"\\ \n 漢', 2);
    await report('odd "name"\\ \n 漢', { status: FINISHED });
    const { contentType, text } = await queue.service.metrics.metricsText();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const samples = samplesIn(text);
    expect(valueOf(samples, 'ready', { service: 'odd "name"\\ \n 漢' })).toBe(1);
    const families = familiesIn(text);
    if (!families) return;
    const types = Object.fromEntries(Object.entries(families).map(([name, [type]]) => [name, type]));
    expect(types).toEqual(METRICS);
  });

  it('say what is in the queue, and what this process did', async () => {
    await open({ metrics: true, maxAttempts: 2, callbackUrl: 'http://127.0.0.1:9/', dispatchCallbacks: false });
    await create('s', 5);
    await create('s', 2, { runAt: new Date(Date.now() + 3_600_000), status: undefined });
    await report('s', { status: FINISHED });
    await report('s', { status: ERROR });
    await report('s', { status: ERROR, retry: true });
    const [task] = await queue.service.claim({ service: 's', lease: 60 });
    await queue.service.claim({ service: 's', lease: 60 });
    await dataSource.query(`UPDATE tasks SET lease_expires_at = '2026-01-01 00:00:00' WHERE id = '${task!.taskId}'`);
    await queue.sweep();
    await queue.service.cancel(task!.taskId);
    const samples = await read();
    const s = { queue: 'default', service: 's' };
    const values = (...names: string[]) => names.map((name) => valueOf(samples, name, s));
    expect(values('ready', 'waiting', 'running', 'oldest_ready_age_seconds')).toEqual([0, 3, 1, 0]);
    expect(values('created_total', 'claimed_total', 'retried_total', 'lease_expired_total')).toEqual([7, 5, 2, 1]);
    const ended = ['finished', 'failed', 'cancelled'].map((outcome) =>
      valueOf(samples, 'ended_total', { ...s, outcome }),
    );
    expect(ended).toEqual([1, 1, 1]);
    expect(values('wait_seconds_count', 'run_seconds_count')).toEqual([5, 3]);
    expect(valueOf(samples, 'run_seconds_bucket', { ...s, le: '+Inf' })).toBe(3);
    expect(valueOf(samples, 'claim_seconds_count', { queue: 'default' })).toBe(5);
    expect(valueOf(samples, 'transaction_seconds_count', { queue: 'default' })).toBeGreaterThan(8);
    expect(valueOf(samples, 'callbacks', { state: 'pending' })).toBe(3);
    expect(valueOf(samples, 'callbacks', { state: 'dead' })).toBe(0);
  });

  it("are in the host's own registry beside its metrics, of two registrations, too", async () => {
    const registry = new Registry();
    new Counter({ name: 'host_total', help: 'The host.', registers: [registry] }).inc();
    await open({ metricsRegistry: registry });
    await create('s');
    const other = await openQueue(dataSource, { name: 'second', entity: Other, metricsRegistry: registry });
    try {
      await other.service.create({ userId: 'alice', input: 'in', service: 's' });
      const text = await registry.metrics();
      const samples = samplesIn(text);
      expect(text).toContain('host_total 1');
      expect(valueOf(samples, 'created_total', { queue: 'default', service: 's' })).toBe(1);
      expect(valueOf(samples, 'created_total', { queue: 'second', service: 's' })).toBe(1);
      expect(valueOf(samples, 'ready', { queue: 'default', service: 's' })).toBe(1);
      expect((await queue.service.metrics.metricsText()).text).toContain('host_total 1');
    } finally {
      await other.close();
    }
    const samples = samplesIn(await registry.metrics());
    expect(valueOf(samples, 'ready', { queue: 'default', service: 's' })).toBe(1);
    expect(valueOf(samples, 'ready', { queue: 'second', service: 's' })).toBeUndefined();
  });

  it('have a bounded number of labels', async () => {
    await open({ metrics: true, services: { named: {} } });
    const services = Array.from({ length: 300 }, (_, n) => `invented-${n}`);
    await queue.service.createMany(services.map((service) => ({ userId: 'alice', input: 'in', service })));
    await create('named');
    const created = (await read()).filter(({ name }) => name === 'softdd_task_created_total');
    expect(created).toHaveLength(103);
    expect(valueOf(created, 'created_total', { service: '_other' })).toBe(200);
    expect(valueOf(created, 'created_total', { service: 'named' })).toBe(1);
  });

  it("leave a host's metrics alone when the database is away, and name no gauge then", async () => {
    const registry = new Registry();
    new Counter({ name: 'host_total', help: 'The host.', registers: [registry] }).inc();
    await open({ metricsRegistry: registry });
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await dataSource.query('ALTER TABLE tasks_metrics RENAME TO away');
    try {
      await registry.metrics();
      const samples = samplesIn(await registry.metrics());
      expect(samples).toContainEqual({ name: 'host_total', labels: {}, value: 1 });
      expect(samples.filter(({ name }) => name === 'softdd_task_ready')).toEqual([]);
      expect(warned.mock.calls.filter(([line]) => String(line).startsWith('the gauges cannot be read'))).toHaveLength(
        1,
      );
    } finally {
      warned.mockRestore();
      await dataSource.query('ALTER TABLE away RENAME TO tasks_metrics');
    }
  });

  it('are UNAVAILABLE while metrics are off', async () => {
    await open({});
    await expect(queue.service.metrics.metricsText()).rejects.toMatchObject({ errorName: 'UNAVAILABLE' });
  });
});
