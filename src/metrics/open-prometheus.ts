import { TaskOptionsError } from '../contract/options.error.js';
import type { Database } from '../database/database.js';
import type { PromClient } from './instruments.js';
import type { MetricsRegistry } from './metrics-registry.js';
import { PrometheusMetrics } from './prometheus.js';
import { TimedDatabase } from './timed-database.js';

interface Settings {
  name: string;
  metricsRegistry?: MetricsRegistry | undefined;
}

/** What to do if the optional package is missing. */
export const NO_PROM_CLIENT = 'the package prom-client cannot be loaded; install it next to @softdd/task';

/** The metrics for Prometheus. undefined if prom-client, an optional package, is not installed. */
export async function openPrometheus(
  { name, metricsRegistry }: Settings,
  named: readonly string[],
  database: Database,
): Promise<PrometheusMetrics | undefined> {
  const prom = await loadPromClient();
  if (!prom && metricsRegistry) throw new TaskOptionsError(name, [{ option: 'metricsRegistry', msg: NO_PROM_CLIENT }]);
  if (!prom) return undefined;
  const prometheus = new PrometheusMetrics(prom, metricsRegistry, name, named);
  if (database instanceof TimedDatabase) database.took = (milliseconds) => prometheus.transactionTook(milliseconds);
  return prometheus;
}

async function loadPromClient(): Promise<PromClient | undefined> {
  try {
    return (await import('prom-client')).default;
  } catch {
    return undefined;
  }
}
