import type { RuleProblem } from '../../validation/rule.js';

/** When a failed callback is tried again. */
export interface CallbackRetry {
  /** Seconds after each failed try. After the last one the callback is dead. */
  delays: number[];
  /** The largest random share of the pause, 0 to 1, that is added to it. It spreads callbacks that failed together. */
  jitter: number;
}

/** About three days in total. */
export const CALLBACK_RETRY: Readonly<CallbackRetry> = {
  delays: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
  jitter: 0.2,
};

/** The most seconds that a receiver may ask for with Retry-After: one day. */
const LONGEST_WISH = 86_400;
const MOST_DELAYS = 50;
const LONGEST_DELAY = 2_592_000;

/**
 * Seconds until the next try, after this many tries. undefined if none is left. The receiver's Retry-After counts
 * within bounds: never sooner than planned, so that it cannot use up the tries within seconds, and at most one day
 * later.
 */
export function pauseAfterTry(tries: number, { delays, jitter }: CallbackRetry, wish = 0): number | undefined {
  const delay = delays[tries - 1];
  if (delay === undefined) return undefined;
  const pause = delay * (1 + Math.random() * jitter);
  return Math.round(Math.max(pause, Math.min(wish, LONGEST_WISH)) * 1000) / 1000;
}

/** Seconds that a Retry-After header asks for, given in seconds or as a date. 0 without one, or if it is invalid. */
export function retryAfterSeconds(header: unknown, now = Date.now()): number {
  if (typeof header !== 'string') return 0;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text);
  // An HTTP date begins with the name of a day, which no other text that Date accepts does. Its oldest form has no
  // zone.
  const time = /^[a-z]+,? /i.test(text) ? Date.parse(/GMT$/i.test(text) ? text : `${text} GMT`) : NaN;
  return Number.isNaN(time) ? 0 : Math.max(0, (time - now) / 1000);
}

/** Rule for option `callbackRetry`. */
export function callbackRetryRule(value: unknown): RuleProblem | undefined {
  const problem = (msg: string): RuleProblem => ({ rule: 'callbackRetry', msg });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return problem('must be an object { delays, jitter }');
  const { delays, jitter, ...others } = value as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) return problem(`has no ${other}; it has delays, jitter`);
  if (delays !== undefined && !(Array.isArray(delays) && delays.length <= MOST_DELAYS && delays.every(isDelay)))
    return problem(`must have delays as a list of at most ${MOST_DELAYS} times from 0 to ${LONGEST_DELAY} seconds`);
  if (jitter !== undefined && !(typeof jitter === 'number' && jitter >= 0 && jitter <= 1))
    return problem(`must have jitter as a share from 0 to 1, not ${JSON.stringify(jitter)}`);
  return undefined;
}

const isDelay = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY;
