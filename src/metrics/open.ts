import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';
import type { Dialect } from '../database/dialects/dialect.js';
import type { Job } from '../polling/poller.js';
import { pruneJob } from '../polling/prune.js';
import type { Queue } from '../queue/queue.js';
import { AttemptLog } from './attempt-log.js';
import { AttemptStore } from './attempt.store.js';
import { FlushRollup } from './flush-rollup.js';
import { queueGauges } from './gauge-sources.js';
import { measurementOf } from './measurement.js';
import type { GaugeSource, MetricsRegistry } from './metrics-registry.js';
import { type MetricsValues, recordsMetrics } from './metrics.options.js';
import { Metrics } from './metrics.service.js';
import { openPrometheus } from './open-prometheus.js';
import { PruneAttempts } from './prune-attempts.js';
import { QueueGauges } from './queue-gauges.js';
import { Rollup } from './rollup.js';
import { RollupStore } from './rollup.store.js';

export interface MetricsSettings extends MetricsValues {
  /** Name of the registration. */
  name: string;
  metricsRegistry?: MetricsRegistry | undefined;
  defaultService: string;
  services: Readonly<Record<string, unknown>>;
}

/** The metrics of a running queue. */
export interface MetricsRoom {
  metrics: Metrics;
  /** None if metrics are off. */
  jobs: Job[];
  /** Writes the counts of the last seconds. To be called when nothing else runs any more. */
  close(): Promise<void>;
}

/**
 * Adds the metrics to a queue that has been opened. Without option `metrics` they can only be read. `gauges`: those of
 * other rooms.
 */
export async function openMetrics<T extends Task>(
  settings: MetricsSettings,
  dialect: Dialect,
  queue: Queue<T>,
  gauges: readonly GaugeSource[],
): Promise<MetricsRoom> {
  const { database, hooks } = queue;
  const { metricsRetention, defaultService, services } = settings;
  const named = [...new Set([defaultService, ...Object.keys(services)])];
  const attempts = new AttemptStore(dialect);
  const store = new RollupStore(dialect);
  const queueState = new QueueGauges<T>(queue, dialect, store, named);
  if (!recordsMetrics(settings)) {
    const metrics = new Metrics(database, store, attempts, queueState);
    return { metrics, jobs: [], close: () => Promise.resolve() };
  }

  const prometheus = await openPrometheus(settings, named, database);
  prometheus?.addGauges([...queueGauges(queueState), ...gauges]);
  const log = new AttemptLog(attempts);
  hooks.inTransaction.push((events) => log.add(events));
  const rollup = new Rollup(named);
  hooks.afterCommit.push((event) => {
    const measurement = measurementOf(event);
    if (!measurement) return;
    rollup.add(measurement);
    prometheus?.add(measurement);
  });
  if (prometheus) {
    hooks.afterLook.push((milliseconds) => prometheus.claimTook(milliseconds));
    hooks.afterPoll.push((service, outcome, milliseconds) => prometheus.pollTook(service, outcome, milliseconds));
  }

  const flush = new FlushRollup(database, store, rollup);
  const prune = pruneJob('deleting old metrics', database, (limit) => store.prune(metricsRetention, limit));
  return {
    metrics: new Metrics(database, store, attempts, queueState, prometheus),
    jobs: [flush, new PruneAttempts(database, attempts), ...(metricsRetention > 0 ? [prune] : [])],
    async close() {
      prometheus?.close();
      await flush.run().catch((error: unknown) => {
        new Logger('TaskModule').warn(`the metrics of the last 10 s are lost: ${(error as Error).message}`);
      });
    },
  };
}
