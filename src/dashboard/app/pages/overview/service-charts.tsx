import type { Stats } from '../../../../protocol/overview.types.js';
import { operator } from '../../api/client.js';
import { type Polled, usePoll } from '../../api/use-poll.js';
import { Chart } from '../../components/chart.js';
import { duration } from '../../format/time.js';
import { language, t, type Word } from '../../words/index.js';

/** What the charts show: seconds in all, seconds of a point, and milliseconds between two looks. */
export const RANGES = {
  '60m': { seconds: 3600, step: 60, everyMs: 30_000, word: 'overview.range.60m' },
  '24h': { seconds: 86_400, step: 1800, everyMs: 300_000, word: 'overview.range.24h' },
  '7d': { seconds: 604_800, step: 10_800, everyMs: 900_000, word: 'overview.range.7d' },
} as const satisfies Record<string, { seconds: number; step: number; everyMs: number; word: Word }>;
export type Range = keyof typeof RANGES;

/** What happened to a service. Nothing is read while its card is out of sight. */
export function useStats(service: string, range: Range, isSeen: boolean): Polled<Stats> {
  const { seconds, step, everyMs } = RANGES[range];
  const load = (signal: AbortSignal): Promise<Stats> =>
    operator.stats({ service, step, from: new Date(Date.now() - seconds * 1000).toISOString() }, { signal });
  return usePoll(`stats ${service} ${range}`, isSeen && service !== '' ? load : undefined, everyMs);
}

const FLOW = () => [
  { key: 'created', name: t('overview.created'), className: 'is-ready' },
  { key: 'finished', name: t('status.finished'), className: 'is-finished' },
];
const OUTCOMES = () => [
  { key: 'finished', name: t('status.finished'), className: 'is-finished' },
  { key: 'retried', name: t('overview.retried'), className: 'is-waiting' },
  { key: 'failed', name: t('status.failed'), className: 'is-failed' },
  { key: 'cancelled', name: t('status.cancelled'), className: 'is-cancelled' },
];
const WAIT = () => [{ key: 'wait', name: t('overview.wait'), className: 'is-accent' }];

/** Three quiet charts: what came and went, how attempts ended, how long tasks waited. */
export function ServiceCharts({ service, stats: { points } }: { service: string; stats: Stats }) {
  const shown = points.map(({ time, created, finished, retried, failed, cancelled, waitMs }) => ({
    time,
    values: { created, finished, retried, failed, cancelled, wait: waitMs.p95 },
  }));
  const charts = [
    { word: 'overview.flow', kind: 'area', series: FLOW(), format: undefined },
    { word: 'overview.outcomes', kind: 'bars', series: OUTCOMES(), format: undefined },
    { word: 'overview.wait', kind: 'line', series: WAIT(), format: (ms: number) => duration(ms, language.value) },
  ] as const;
  return (
    <div class="charts">
      {charts.map(({ word, kind, series, format }) => (
        <div key={word}>
          <h3 class="chart-name">{t(word)}</h3>
          <Chart label={`${service}: ${t(word)}`} kind={kind} series={series} points={shown} format={format} />
        </div>
      ))}
    </div>
  );
}
