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

/** The value of a gauge, by the names of its labels. */
export interface GaugeValue {
  labels: Record<string, string>;
  value: number;
}

/** A gauge that is read from the database: the same from each process. */
export interface GaugeSource {
  /** The whole name: `softdd_task_…`. */
  name: string;
  help: string;
  /** The names of its labels besides `queue`. */
  labels: readonly string[];
  /** Its values, each with the labels that it belongs to. */
  read(): Promise<GaugeValue[]>;
}
