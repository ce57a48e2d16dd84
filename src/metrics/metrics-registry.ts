/** What the queue uses of a `Registry` of the package `prom-client`. */
export interface MetricsRegistry {
  readonly contentType: string;
  registerMetric(metric: any): void;
  metrics(): Promise<string>;
}

/** Metrics as text, as Prometheus reads them. */
export interface MetricsText {
  /** The value of the header Content-Type. */
  contentType: string;
  text: string;
}

/** A gauge that is read from the database: the same from each process. */
export interface GaugeSource {
  /** The whole name: `softdd_task_…`. */
  name: string;
  help: string;
  /** The name of its label besides `queue`. */
  label: string;
  /** The value for each value of the label. */
  read(): Promise<ReadonlyMap<string, number>>;
}
