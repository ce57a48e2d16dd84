import type { Column, SideTable } from './table.js';

/** What is counted of each service. Each is a column. */
export const COUNTERS = ['created', 'started', 'finished', 'failed', 'retried', 'expired', 'cancelled'] as const;
export type Counter = (typeof COUNTERS)[number];

/** What is timed: `wait`, from ready to claimed; `run`, from the claim to the end of the attempt. */
export const TIMINGS = ['wait', 'run'] as const;
export type Timing = (typeof TIMINGS)[number];

/** Upper bounds of a histogram's buckets in milliseconds, each included: 10 ms to 3.5 days. One more bucket has the rest. */
export const BUCKETS: readonly number[] = [10, 100, 1000, 10_000, 100_000, 1e6, 1e7, 1e8].flatMap((bound) => [
  bound,
  3 * bound,
]);

/** The columns of a timing: the sum of its values in milliseconds, and the number of values in each bucket. */
export const columnsOf = (timing: Timing): { sum: string; buckets: string[] } => ({
  sum: `${timing}_ms`,
  buckets: [...BUCKETS.map((bound) => `${timing}_${bound}`), `${timing}_more`],
});

/** The columns that are added up. */
const SUMS: Readonly<Record<string, Column>> = Object.fromEntries([
  ...COUNTERS.map((name) => [name, { kind: 'int', default: 0 }]),
  ...TIMINGS.map(columnsOf).flatMap(({ sum, buckets }) => [
    [sum, { kind: 'big', default: 0 }],
    ...buckets.map((name) => [name, { kind: 'int', default: 0 }]),
  ]),
]) as Record<string, Column>;
export const SUM_COLUMNS: readonly string[] = Object.keys(SUMS);

/** What happened in each minute, added up by all processes. */
export const METRICS: SideTable = {
  suffix: 'metrics',
  holds: 'metrics',
  columns: {
    // Whole minutes since 1970 in UTC.
    minute: { kind: 'int' },
    // '': the services beyond those that a process tells apart.
    service: { kind: 'key', length: 64 },
    ...SUMS,
  },
  primaryKey: ['minute', 'service'],
  indexes: {},
};
