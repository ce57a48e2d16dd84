import { type Database, reading } from '../database/database.js';
import { TaskError } from '../contract/errors.js';
import type { Script } from '../database/transaction.js';
import type { TaskAttempt } from './attempt.js';
import type { AttemptStore } from './attempt.store.js';
import type { MetricsText } from './metrics-registry.js';
import { KEPT } from './prune-attempts.js';
import type { QueueGauges, ServiceGauges } from './queue-gauges.js';
import { type Activity, NO_ACTIVITY } from './activity.js';
import type { RollupStore } from './rollup.store.js';
import { minuteOf } from './rollup.js';
import { type Stats, type StatsOptions, type Steps, stepsOf } from './stats.js';

/** The most services of one answer. */
const SERVICES = 1000;

/**
 * What happens in the queue, from the database: the same from each process. Counts appear up to 10 s after what they
 * count, and only of processes with option `metrics`.
 */
export class Metrics {
  constructor(
    private readonly database: Database,
    private readonly rollup: RollupStore,
    private readonly attempts: AttemptStore,
    private readonly gauges: Pick<QueueGauges, 'read'>,
    private readonly prometheus?: { text(): Promise<MetricsText> },
  ) {}

  /** How many tasks of each service are ready, waiting and running now. At most 2 s old, or older if reading is slow. */
  now(): Promise<ServiceGauges[]> {
    return this.gauges.read();
  }

  /** A series for a chart: a point for each step, also if nothing happened in it. INVALID_PARAM. */
  async stats(options: StatsOptions = {}): Promise<Stats> {
    const { steps, found } = await reading(this.database, () => this.read(options));
    const { from, to, length } = steps;
    const timeOf = (minute: number): Date => new Date(minute * 60_000);
    const points = Array.from({ length: (to - from) / length }, (_, place) => ({
      time: timeOf(from + place * length),
      ...(found.get(place) ?? NO_ACTIVITY),
    }));
    return { from: timeOf(from), to: timeOf(to), step: length * 60, points };
  }

  /**
   * What happened in the last `minutes`, the one that has begun included, by service: of these services, or of all
   * to which something happened, at most 1,000.
   */
  async recent(services: readonly string[] | undefined, minutes: number): Promise<Map<string, Activity>> {
    const { rollup } = this;
    const found = await reading(this.database, function* () {
      const to = minuteOf(yield* rollup.now()) + 1;
      return yield* rollup.services({ from: to - minutes, to }, SERVICES, services);
    });
    for (const service of services ?? []) if (!found.has(service)) found.set(service, NO_ACTIVITY);
    return found;
  }

  /**
   * Everything in the registry, as Prometheus reads it. The gauges are the queue's, the same from each process; counters
   * and histograms are those of this process. UNAVAILABLE without option `metrics`, or without the package prom-client.
   */
  async metricsText(): Promise<MetricsText> {
    if (!this.prometheus)
      throw new TaskError('UNAVAILABLE', { msg: 'metrics are off, or the package prom-client is not installed' });
    return this.prometheus.text();
  }

  /** The newest 100 failed attempts of a task, oldest first. Those of earlier runs come first. */
  async attemptsOf(taskId: string): Promise<TaskAttempt[]> {
    return reading(this.database, () => this.attempts.of(taskId, KEPT));
  }

  private *read(options: StatsOptions): Script<{ steps: Steps; found: Map<number, Activity> }> {
    const steps = stepsOf(options, yield* this.rollup.now());
    return { steps, found: yield* this.rollup.steps(steps, steps.length, options.service) };
  }
}
