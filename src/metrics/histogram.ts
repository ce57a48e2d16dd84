import { BUCKETS } from '../schema/tables/metrics.table.js';

/** The place of the bucket that counts this many milliseconds. */
export function bucketOf(milliseconds: number): number {
  const place = BUCKETS.findIndex((bound) => milliseconds <= bound);
  return place < 0 ? BUCKETS.length : place;
}

/** Mean and 95th percentile in milliseconds. null if nothing was timed. */
export interface Timed {
  mean: number | null;
  p95: number | null;
}

/** From the sum of the values and the number of values in each bucket. */
export function timed(sum: number, buckets: readonly number[]): Timed {
  const count = buckets.reduce((total, each) => total + each, 0);
  return { mean: count === 0 ? null : Math.round(sum / count), p95: quantile(0.95, buckets) };
}

/**
 * The value below which a share `q` of the values lies, as Prometheus' `histogram_quantile` estimates it. With rank
 * `r = q * count`, the bucket that holds the rank, its bounds `low` and `high`, the `before` values in lower buckets and
 * the `inside` values in it: `low + (high - low) * (r - before) / inside`. Of the last bucket, which has no upper bound,
 * its lower bound. null if there are no values.
 */
export function quantile(q: number, buckets: readonly number[]): number | null {
  const rank = q * buckets.reduce((total, each) => total + each, 0);
  let before = 0;
  for (const [place, inside] of buckets.entries()) {
    if (inside > 0 && before + inside >= rank) {
      const low = BUCKETS[place - 1] ?? 0;
      const high = BUCKETS[place] ?? low;
      return Math.round(low + ((high - low) * (rank - before)) / inside);
    }
    before += inside;
  }
  return null;
}
