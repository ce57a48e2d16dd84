import { LEASE_SECONDS, MAX_ATTEMPTS } from '../validation/rules.js';
import { type Backoff, BACKOFF, backoffRule, isWithin } from './backoff.js';

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

const POLICY_FIELDS: Record<keyof ServiceOptions, (value: unknown) => string | undefined> = {
  lease: leaseProblem,
  legacyLease: leaseProblem,
  maxAttempts: (value) =>
    isWithin(MAX_ATTEMPTS.min, MAX_ATTEMPTS.max)(value)
      ? undefined
      : `must be an integer from ${MAX_ATTEMPTS.min} to ${MAX_ATTEMPTS.max}`,
  backoff: (value) => backoffRule(value)?.msg,
};

function leaseProblem(value: unknown): string | undefined {
  const { min, max } = LEASE_SECONDS;
  return isWithin(min, max)(value) ? undefined : `must be whole seconds from ${min} to ${max}`;
}

/** The check of a value of one service by its name. undefined: there is no such value. */
export const policyProblem = (name: string): ((value: unknown) => string | undefined) | undefined =>
  Object.hasOwn(POLICY_FIELDS, name) ? POLICY_FIELDS[name as keyof ServiceOptions] : undefined;
