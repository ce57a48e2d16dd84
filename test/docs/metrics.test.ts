import { describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import promClient from 'prom-client';
import { instrumentsOf } from '../../src/metrics/instruments.js';
import { queueGauges } from '../../src/metrics/gauge-sources.js';
import { callbackGauge, serviceGauges } from '../../src/task.gauges.js';
import { read } from '../support/documents.js';

interface Dashboard {
  title: string;
  panels: { id: number; title: string; targets: { expr: string }[] }[];
  templating: { list: { name: string; query: string }[] };
}

/** Every metric of the queue: its type, and its labels without `queue`. */
async function declared(): Promise<Record<string, [type: string, labels: string]>> {
  const registry = new promClient.Registry();
  const instruments = instrumentsOf(promClient, registry);
  const none = { read: async () => [] };
  const callbacks = callbackGauge({
    backlog: async () => ({ pending: 0, dead: 0, oldestPending: undefined, deadOrigins: [] }),
  });
  const services = serviceGauges({ list: async () => [] });
  for (const source of [...queueGauges(none), callbacks, ...services]) instruments.addGauge(source, 'default');
  const metrics = (await registry.getMetricsAsJSON()) as unknown as { name: string; type: string }[];
  const labelsOf = (name: string) => {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    return labelNames.filter((label) => label !== 'queue').join(', ');
  };
  return Object.fromEntries(metrics.map(({ name, type }) => [name, [type, labelsOf(name)]]));
}

/** The names of the series in a query of Prometheus. Throws if it is none. */
function seriesIn(query: string): string[] {
  const names: string[] = [];
  parser.parse(query).iterate({
    enter({ type, from, to }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${query}`);
      if (type.name === 'VectorSelector') names.push(/^\w+/.exec(query.slice(from, to))![0]);
    },
  });
  return names;
}

describe('docs/operations.md', () => {
  it('lists every metric with its kind and its labels', async () => {
    const rows = [...read('docs/operations.md').matchAll(/^\| `(softdd_task_\w+)` +\| (\w+) +\| (.*?) +\|/gm)];
    const stated = rows.map(([, name, kind, labels]) => [name, [kind, labels!.replaceAll('`', '').replace('-', '')]]);
    expect(Object.fromEntries(stated)).toEqual(await declared());
  });
});

describe('docs/grafana.json', () => {
  const { title, panels, templating } = JSON.parse(read('docs/grafana.json')) as Dashboard;
  /** Grafana puts a value there. */
  const query = (expr: string): string => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, 'x');

  it('shows metrics of the queue alone, by queries of Prometheus, and each of them', async () => {
    const metrics = await declared();
    const bases = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => seriesIn(query(expr))));
    const shown = bases.map((name) => name.replace(/_(bucket|count)$/, ''));
    expect([...new Set(shown)].sort()).toEqual(Object.keys(metrics).sort());
    for (const { name, query: values } of templating.list.filter(({ name }) => name !== 'datasource')) {
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(values)!;
      expect([label, metrics[seriesIn(query(selector!))[0]!] !== undefined]).toEqual([name, true]);
    }
  });

  it('is a dashboard with panels of their own ids and places', () => {
    expect(title).toBe('@softdd/task');
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it('takes the gauges, which are the same from each process, only once', () => {
    for (const { targets } of panels)
      for (const { expr } of targets)
        if (/softdd_task_(ready|waiting|running|callbacks|oldest|paused)/.test(expr))
          expect(expr).toMatch(/\bmax by\b/);
  });
});
