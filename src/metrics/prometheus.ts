import type { Counter as Column } from '../schema/tables/metrics.table.js';
import { type Instruments, instrumentsOf, type PromClient } from './instruments.js';
import type { Measurement } from './measurement.js';
import type { GaugeSource, MetricsRegistry, MetricsText } from './metrics-registry.js';

/** Services that the labels of a process tell apart, besides those that the options name. */
const SERVICES = 100;
/** The label of all further services. */
const OTHERS = '_other';

/** The metrics of one registration for Prometheus. */
export class PrometheusMetrics {
  private readonly instruments: Instruments;
  private readonly registry: MetricsRegistry;
  private readonly names: Set<string>;
  private readonly most: number;
  private gauges: GaugeSource[] = [];

  /** `queue`: name of the registration. `named`: services that are always told apart. */
  constructor(
    prom: PromClient,
    registry: MetricsRegistry | undefined,
    private readonly queue: string,
    named: readonly string[],
  ) {
    this.registry = registry ?? new prom.Registry();
    this.instruments = instrumentsOf(prom, this.registry);
    this.names = new Set(named);
    this.most = this.names.size + SERVICES;
    for (const service of named) this.begin(service);
  }

  add({ service: name, counts, times }: Measurement): void {
    const { queue, instruments } = this;
    const labels = { queue, service: this.labelOf(name) };
    for (const column of counts) this.count(column, labels);
    if (times.wait !== undefined) instruments.wait.observe(labels, times.wait / 1000);
    if (times.run !== undefined) instruments.run.observe(labels, times.run / 1000);
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
    for (const source of this.gauges) this.instruments.removeGauge(source);
  }

  private count(column: Column, labels: { queue: string; service: string }, value = 1): void {
    const { instruments } = this;
    switch (column) {
      case 'created':
        return instruments.created.inc(labels, value);
      case 'started':
        return instruments.claimed.inc(labels, value);
      case 'retried':
        return instruments.retried.inc(labels, value);
      case 'expired':
        return instruments.leaseExpired.inc(labels, value);
      default:
        return instruments.ended.inc({ ...labels, outcome: column }, value);
    }
  }

  /** A counter that is there from the start shows the first increase. */
  private begin(service: string): void {
    for (const column of ['created', 'started', 'retried', 'expired', 'finished', 'failed', 'cancelled'] as const)
      this.count(column, { queue: this.queue, service }, 0);
  }

  /** A label for each service that users name would make series without end. */
  private labelOf(service: string): string {
    if (!this.names.has(service)) {
      if (this.names.size >= this.most) return OTHERS;
      this.names.add(service);
    }
    return service;
  }
}
