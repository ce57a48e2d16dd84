import { Logger } from '@nestjs/common';
import type * as prom from 'prom-client';
import type { Counter, Gauge, Histogram } from 'prom-client';
import { BUCKETS } from '../schema/tables/metrics.table.js';
import type { GaugeSource, MetricsRegistry } from './metrics-registry.js';

export type PromClient = Pick<typeof prom, 'Counter' | 'Gauge' | 'Histogram' | 'Registry'>;

/** Seconds of what the database does. */
const FAST_BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
/** Seconds of a poll. It waits for at most 30 s, and is answered a little later. */
const POLL_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 35];
const SLOW_BUCKETS = BUCKETS.map((bound) => bound / 1000);

/** Registrations that share a registry share its metrics. The label `queue` tells them apart. */
const SHARED = new WeakMap<MetricsRegistry, Instruments>();
export function instrumentsOf(client: PromClient, registry: MetricsRegistry): Instruments {
  const known = SHARED.get(registry) ?? new Instruments(client, registry);
  SHARED.set(registry, known);
  return known;
}

/** The metrics in one registry. */
export class Instruments {
  readonly created: Counter;
  readonly claimed: Counter;
  readonly ended: Counter;
  readonly retried: Counter;
  readonly leaseExpired: Counter;
  readonly wait: Histogram;
  readonly run: Histogram;
  readonly poll: Histogram;
  readonly claim: Histogram;
  readonly transaction: Histogram;
  /** Called before the counters are read: they bring what they have not added yet. */
  readonly beforeReading = new Set<() => void>();
  private readonly gauges = new Map<string, { gauge: Gauge; sources: Map<GaugeSource, string> }>();
  /** Names of the gauges that could not be read the last time. */
  private readonly failing = new Set<string>();
  private readonly logger = new Logger('TaskModule');

  constructor(
    private readonly client: PromClient,
    private readonly registry: MetricsRegistry,
  ) {
    this.created = this.counter('softdd_task_created_total', 'Tasks that this process created.');
    this.claimed = this.counter('softdd_task_claimed_total', 'Tasks that workers claimed from this process.');
    this.ended = this.counter(
      'softdd_task_ended_total',
      'Tasks that this process ended: finished, failed or cancelled.',
      'outcome',
    );
    this.retried = this.counter('softdd_task_retried_total', 'Attempts that failed and are followed by another one.');
    this.leaseExpired = this.counter('softdd_task_lease_expired_total', 'Leases that ran out, found by this process.');
    this.wait = this.histogram('softdd_task_wait_seconds', 'From ready to claimed.', SLOW_BUCKETS, 'service');
    this.run = this.histogram(
      'softdd_task_run_seconds',
      'From the claim to the report that ended the attempt.',
      SLOW_BUCKETS,
      'service',
    );
    this.poll = this.histogram(
      'softdd_task_poll_seconds',
      'Of one claim until its answer, the wait for tasks included.',
      POLL_BUCKETS,
      'service',
      'outcome',
    );
    this.claim = this.histogram(
      'softdd_task_claim_seconds',
      'Of one look for tasks, without the wait of the poll.',
      FAST_BUCKETS,
    );
    this.transaction = this.histogram(
      'softdd_task_transaction_seconds',
      'Of one transaction, its COMMIT included.',
      FAST_BUCKETS,
    );
  }

  addGauge(source: GaugeSource, queue: string): void {
    let entry = this.gauges.get(source.name);
    if (!entry) {
      const sources = new Map<GaugeSource, string>();
      const collect = (): Promise<void> => this.collect(source.name);
      entry = {
        gauge: new this.client.Gauge({ ...this.named(source.name, source.help, ...source.labels), collect }),
        sources,
      };
      this.gauges.set(source.name, entry);
    }
    entry.sources.set(source, queue);
  }

  removeGauge(source: GaugeSource): void {
    this.gauges.get(source.name)?.sources.delete(source);
  }

  /**
   * A host's own metrics must not suffer if the database is away: then there are no gauges. The values change in one
   * turn of the event loop, because two scrapes may come at once.
   */
  private async collect(name: string): Promise<void> {
    const { gauge, sources } = this.gauges.get(name)!;
    try {
      const read = [...sources].map(async ([source, queue]) => ({ queue, values: await source.read() }));
      const found = await Promise.all(read);
      gauge.reset();
      for (const { queue, values } of found)
        for (const { labels, value } of values) gauge.set({ queue, ...labels }, value);
      this.failing.delete(name);
    } catch (error) {
      gauge.reset();
      if (this.failing.size === 0) this.logger.warn(`the gauges cannot be read: ${(error as Error).message}`);
      this.failing.add(name);
    }
  }

  private counter(name: string, help: string, ...labels: string[]): Counter {
    const collect = (): void => this.beforeReading.forEach((bring) => bring());
    return new this.client.Counter({ ...this.named(name, help, 'service', ...labels), collect });
  }

  private histogram(name: string, help: string, buckets: number[], ...labels: string[]): Histogram {
    return new this.client.Histogram({ ...this.named(name, help, ...labels), buckets });
  }

  private named(
    name: string,
    help: string,
    ...labels: string[]
  ): { name: string; help: string; labelNames: string[]; registers: never[] } {
    return { name, help, labelNames: ['queue', ...labels], registers: [this.registry as never] };
  }
}
