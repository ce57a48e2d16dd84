import type { RuleProblem } from '../validation/rule.js';

/**
 * How long a failed task waits for its next attempt: `min(base * 2^(n-1), max)` seconds after failure n, plus jitter.
 */
export interface Backoff {
  /** Seconds after the first failure. Doubled after each further one. */
  base: number;
  /** The most seconds, without the jitter. */
  max: number;
  /** The largest random share of the pause, 0 to 1, that is added to it. It spreads tasks that failed together. */
  jitter: number;
}

export const BACKOFF: Readonly<Backoff> = { base: 10, max: 3600, jitter: 0.2 };

/** The pause in seconds, exact to the millisecond. */
export function pauseAfter(failures: number, { base, max, jitter }: Backoff): number {
  // After 30 doublings every base has reached its maximum.
  const pause = Math.min(base * 2 ** Math.min(Math.max(failures - 1, 0), 30), max);
  return Math.round(pause * (1 + Math.random() * jitter) * 1000) / 1000;
}

export const isWithin =
  (min: number, max: number, whole = true) =>
  (value: unknown): boolean =>
    typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));

const BACKOFF_FIELDS: Record<keyof Backoff, { fits: (value: unknown) => boolean; range: string }> = {
  base: { fits: isWithin(0, 86_400, false), range: 'seconds from 0 to 86400' },
  max: { fits: isWithin(0, 2_592_000, false), range: 'seconds from 0 to 2592000' },
  jitter: { fits: isWithin(0, 1, false), range: 'a share from 0 to 1' },
};

/** Rule for option `backoff`. */
export function backoffRule(value: unknown): RuleProblem | undefined {
  if (!isRecord(value)) return { rule: 'backoff', msg: 'must be an object { base, max, jitter }' };
  for (const [name, given] of Object.entries(value)) {
    const field = BACKOFF_FIELDS[name as keyof Backoff] as (typeof BACKOFF_FIELDS)['base'] | undefined;
    if (!field) return { rule: 'backoff', msg: `has no ${name}; it has base, max, jitter` };
    if (given !== undefined && !field.fits(given))
      return { rule: 'backoff', msg: `must have ${name} in ${field.range}, not ${JSON.stringify(given)}` };
  }
  const { base, max } = { ...BACKOFF, ...value };
  if (base > max) return { rule: 'backoff', msg: `must have base (${base}) no greater than max (${max})` };
  return undefined;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
