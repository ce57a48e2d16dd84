import type { RuleProblem } from '../core/rules.js';

/** When a callback that was not taken is tried again. */
export interface CallbackRetry {
  /** Seconds after each try that failed; after the last one the callback is dead. */
  delays: number[];
  /** Share of a pause, from 0 to 1, that is added at random at most: callbacks that failed together come back apart. */
  jitter: number;
}

/** About three days. */
export const CALLBACK_RETRY: Readonly<CallbackRetry> = {
  delays: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
  jitter: 0.2,
};

/** Seconds that a receiver may put a callback off by Retry-After: a day. */
const LONGEST_WISH = 86_400;
const MOST_DELAYS = 50;
const LONGEST_DELAY = 2_592_000;

/**
 * Seconds until the next try after so many; undefined where there is none left. A receiver's own wish is heard within
 * bounds: never sooner than planned, or it could use up the tries within seconds, and never later than in a day.
 */
export function pauseAfterTry(tries: number, { delays, jitter }: CallbackRetry, wish = 0): number | undefined {
  const delay = delays[tries - 1];
  if (delay === undefined) return undefined;
  const pause = delay * (1 + Math.random() * jitter);
  return Math.round(Math.max(pause, Math.min(wish, LONGEST_WISH)) * 1000) / 1000;
}

/** Seconds that a Retry-After asks for, said in seconds or as a date; 0 for none and for nonsense. */
export function retryAfterSeconds(header: unknown, now = Date.now()): number {
  if (typeof header !== 'string') return 0;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text);
  // An HTTP-date has a day's name, which nothing else that Date understands begins with; the oldest form names no zone.
  const time = /^[a-z]+,? /i.test(text) ? Date.parse(/GMT$/i.test(text) ? text : `${text} GMT`) : NaN;
  return Number.isNaN(time) ? 0 : Math.max(0, (time - now) / 1000);
}

/** Rule for option `callbackRetry`. */
export function callbackRetryRule(value: unknown): RuleProblem | undefined {
  const problem = (msg: string): RuleProblem => ({ rule: 'callbackRetry', msg });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return problem('must be { delays, jitter }');
  const { delays, jitter, ...others } = value as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) return problem(`has no ${other}; it has delays, jitter`);
  if (delays !== undefined && !(Array.isArray(delays) && delays.length <= MOST_DELAYS && delays.every(isDelay)))
    return problem(`must have delays as a list of at most ${MOST_DELAYS} times from 0 to ${LONGEST_DELAY} seconds`);
  if (jitter !== undefined && !(typeof jitter === 'number' && jitter >= 0 && jitter <= 1))
    return problem(`must have jitter in a share from 0 to 1, not ${JSON.stringify(jitter)}`);
  return undefined;
}

const isDelay = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY;
