import type { Row } from '../database/transaction.js';
import { columnsOf, type Counter, COUNTERS, SUM_COLUMNS, type Timing } from '../schema/tables/metrics.table.js';
import { type Timed, timed } from './histogram.js';

/** What happened in a time: how many of each, and how long tasks waited and ran. */
export type Activity = Record<Counter, number> & {
  /** Milliseconds from ready to claimed. */
  waitMs: Timed;
  /** Milliseconds from the claim to the report that ended the attempt. */
  runMs: Timed;
};

/** From the sums of a row. They are 64 bits wide, which some drivers give as text. */
export function activityOf(row: Row): Activity {
  const counts = Object.fromEntries(COUNTERS.map((name) => [name, Number(row[name])])) as Record<Counter, number>;
  const timing = (name: Timing): Timed => {
    const { sum, buckets } = columnsOf(name);
    return timed(
      Number(row[sum]),
      buckets.map((bucket) => Number(row[bucket])),
    );
  };
  return { ...counts, waitMs: timing('wait'), runMs: timing('run') };
}

/** Nothing happened. */
export const NO_ACTIVITY: Activity = activityOf(Object.fromEntries(SUM_COLUMNS.map((name) => [name, 0])));
