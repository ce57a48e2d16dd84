import type { PollOutcome } from '../queue/hooks.js';
import { type Counter as Column, COUNTERS } from '../schema/tables/metrics.table.js';
import { type Instruments, instrumentsOf, type PromClient } from './instruments.js';
import type { Measurement } from './measurement.js';
import type { GaugeSource, MetricsRegistry, MetricsText } from './metrics-registry.js';

/** Services that the labels of a process tell apart, besides those that the options name. */
const SERVICES = 100;
/** The label of all further services. */
const OTHERS = '_other';
/** The label of claims that name no service. */
const ANY = '_any';

/** The metrics of one registration for Prometheus. */
export class PrometheusMetrics {
  private readonly instruments: Instruments;
  private readonly registry: MetricsRegistry;
  private readonly most: number;
  /** What the counters do not have yet, by label: counting here takes a tenth of the time. */
  private readonly counts = new Map<string, Record<Column, number>>();
  private readonly bring = (): void => this.bringCounts();
  private gauges: GaugeSource[] = [];

  /** `queue`: name of the registration. `named`: services that are always told apart, and there from the start. */
  constructor(
    prom: PromClient,
    registry: MetricsRegistry | undefined,
    private readonly queue: string,
    named: readonly string[],
  ) {
    this.registry = registry ?? new prom.Registry();
    this.instruments = instrumentsOf(prom, this.registry);
    this.instruments.beforeReading.add(this.bring);
    this.most = named.length + SERVICES;
    for (const service of named) this.counts.set(service, nothing());
  }

  add({ service: name, counts, times }: Measurement): void {
    const { queue, instruments } = this;
    const service = this.labelOf(name);
    const pending = this.counts.get(service)!;
    for (const column of counts) pending[column] += 1;
    if (times.wait !== undefined) instruments.wait.observe({ queue, service }, times.wait / 1000);
    if (times.run !== undefined) instruments.run.observe({ queue, service }, times.run / 1000);
  }

  pollTook(name: string | undefined, outcome: PollOutcome, milliseconds: number): void {
    const service = name === undefined ? ANY : this.labelOf(name);
    this.instruments.poll.observe({ queue: this.queue, service, outcome }, milliseconds / 1000);
  }

  claimTook(milliseconds: number): void {
    this.instruments.claim.observe({ queue: this.queue }, milliseconds / 1000);
  }

  transactionTook(milliseconds: number): void {
    this.instruments.transaction.observe({ queue: this.queue }, milliseconds / 1000);
  }

  addGauges(sources: readonly GaugeSource[]): void {
    for (const source of sources) this.instruments.addGauge(source, this.queue);
    this.gauges = [...this.gauges, ...sources];
  }

  async text(): Promise<MetricsText> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }

  /** The database is closed: there are no gauges any more. */
  close(): void {
    this.bringCounts();
    this.instruments.beforeReading.delete(this.bring);
    for (const source of this.gauges) this.instruments.removeGauge(source);
  }

  /** A counter is there from its first 0, so that its first increase shows. */
  private bringCounts(): void {
    const { instruments, queue } = this;
    const { created, claimed, retried, leaseExpired, ended } = instruments;
    for (const [service, pending] of this.counts) {
      const labels = { queue, service };
      created.inc(labels, pending.created);
      claimed.inc(labels, pending.started);
      retried.inc(labels, pending.retried);
      leaseExpired.inc(labels, pending.expired);
      for (const outcome of ['finished', 'failed', 'cancelled'] as const)
        ended.inc({ ...labels, outcome }, pending[outcome]);
      Object.assign(pending, nothing());
    }
  }

  /** A label for each service that users name would make series without end. */
  private labelOf(service: string): string {
    const isKnown = this.counts.has(service);
    const label = isKnown || this.counts.size < this.most ? service : OTHERS;
    if (!isKnown && !this.counts.has(label)) this.counts.set(label, nothing());
    return label;
  }
}

const nothing = (): Record<Column, number> =>
  Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Column, number>;
