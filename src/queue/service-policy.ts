import type { RuleProblem } from '../validation/rule.js';
import { LEASE_SECONDS, MAX_ATTEMPTS } from '../validation/rules.js';

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

/** The rules for the tasks of one service. */
export interface ServicePolicy {
  /** Seconds that a claim holds. */
  lease: number;
  /** Seconds that a legacy claim holds, whose worker may be silent until it ends the task. */
  legacyLease: number;
  /** Attempts until a task has failed for good, if the task has no number of its own. */
  maxAttempts: number;
  backoff: Backoff;
}

/** What one service does differently. */
export type ServiceOptions = Partial<Omit<ServicePolicy, 'backoff'>> & { backoff?: Partial<Backoff> };

export const BACKOFF: Readonly<Backoff> = { base: 10, max: 3600, jitter: 0.2 };

/** The pause in seconds, exact to the millisecond. */
export function pauseAfter(failures: number, { base, max, jitter }: Backoff): number {
  // After 30 doublings every base has reached its maximum.
  const pause = Math.min(base * 2 ** Math.min(Math.max(failures - 1, 0), 30), max);
  return Math.round(pause * (1 + Math.random() * jitter) * 1000) / 1000;
}

/** The policy of each service: its own, or the common one. */
export class Policies {
  private readonly common: ServicePolicy;
  private readonly own: Map<string, ServicePolicy>;

  constructor(
    { lease, legacyLease, maxAttempts, backoff }: Omit<ServicePolicy, 'backoff'> & { backoff: Partial<Backoff> },
    services: Readonly<Record<string, ServiceOptions>>,
  ) {
    const common = { lease, legacyLease, maxAttempts, backoff: { ...BACKOFF, ...defined(backoff) } };
    const merged = ([service, { backoff = {}, ...own }]: [string, ServiceOptions]): [string, ServicePolicy] => [
      service,
      { ...common, ...defined(own), backoff: { ...common.backoff, ...defined(backoff) } },
    ];
    this.common = common;
    this.own = new Map(Object.entries(services).map(merged));
  }

  of(service: string): ServicePolicy {
    return this.own.get(service) ?? this.common;
  }
}

/** Drops keys that are explicitly undefined, so that they do not erase a default. */
export const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;

const within =
  (min: number, max: number, whole = true) =>
  (value: unknown): boolean =>
    typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));

const BACKOFF_FIELDS: Record<keyof Backoff, { fits: (value: unknown) => boolean; range: string }> = {
  base: { fits: within(0, 86_400, false), range: 'seconds from 0 to 86400' },
  max: { fits: within(0, 2_592_000, false), range: 'seconds from 0 to 2592000' },
  jitter: { fits: within(0, 1, false), range: 'a share from 0 to 1' },
};

const SERVICE_FIELDS: Record<keyof ServiceOptions, (value: unknown) => string | undefined> = {
  lease: leaseProblem,
  legacyLease: leaseProblem,
  maxAttempts: (value) =>
    within(MAX_ATTEMPTS.min, MAX_ATTEMPTS.max)(value)
      ? undefined
      : `must be an integer from ${MAX_ATTEMPTS.min} to ${MAX_ATTEMPTS.max}`,
  backoff: (value) => backoffRule(value)?.msg,
};

function leaseProblem(value: unknown): string | undefined {
  const { min, max } = LEASE_SECONDS;
  return within(min, max)(value) ? undefined : `must be whole seconds from ${min} to ${max}`;
}

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

/** Rule for option `services`. */
export function servicesRule(value: unknown): RuleProblem | undefined {
  const names = Object.keys(SERVICE_FIELDS).join(', ');
  if (!isRecord(value)) return { rule: 'services', msg: `must be an object: service -> { ${names} }` };
  for (const [service, options] of Object.entries(value)) {
    if (!isRecord(options)) return { rule: 'services', msg: `must have an object { ${names} } for ${service}` };
    for (const [name, given] of Object.entries(options)) {
      const problemOf = SERVICE_FIELDS[name as keyof ServiceOptions] as (typeof SERVICE_FIELDS)['lease'] | undefined;
      if (!problemOf) return { rule: 'services', msg: `has no ${name} for ${service}; it has ${names}` };
      const problem = given === undefined ? undefined : problemOf(given);
      if (problem) return { rule: 'services', msg: `${service}.${name} ${problem}` };
    }
  }
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
