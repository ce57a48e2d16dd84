import { policyProblem, type ServiceOptions } from '../queue/service-policy.js';
import type { RuleProblem } from '../validation/rule.js';
import { Follows } from '../validation/field.js';
import { nameRule } from '../validation/rules.js';
import { FLOW_RULES, type FlowSettings } from './settings.js';

/** Everything that may differ from service to service. */
export type ServiceValues = ServiceOptions & FlowSettings;

/** The option of services. It belongs to the queue and to the control of its flow. */
export class FlowValues {
  /**
   * Values for single services: service -> `{ lease, legacyLease, maxAttempts, backoff, paused, pausedUntil, note,
   * maxRunning, rate, maxRunningPerOwner, fair, weight }`, each optional. If it names a service, the process obeys pauses and limits, also those that
   * operators set while it runs.
   * @defaultValue {}
   */
  @Follows(servicesRule)
  services: Record<string, ServiceValues> = {};
}

/** Whether a process controls the flow: somebody may operate the queue, or the options name a service. */
export const controlsFlow = ({ services, isOperated }: FlowValues & { isOperated: boolean }): boolean =>
  isOperated || Object.keys(services).length > 0;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const NAMES = ['lease', 'legacyLease', 'maxAttempts', 'backoff', ...Object.keys(FLOW_RULES)].join(', ');

/** Rule for option `services`. */
export function servicesRule(value: unknown): RuleProblem | undefined {
  if (!isRecord(value)) return { rule: 'services', msg: `must be an object: service -> { ${NAMES} }` };
  for (const [service, options] of Object.entries(value)) {
    const name = nameRule(service);
    if (name) return { rule: 'services', msg: `has a service whose name ${name.msg}` };
    if (!isRecord(options)) return { rule: 'services', msg: `must have an object { ${NAMES} } for ${service}` };
    const problem = Object.entries(options).map(problemOf).find(Boolean) ?? pauseProblem(options);
    if (problem !== undefined) return { rule: 'services', msg: problem(service) };
  }
  return undefined;
}

type Problem = ((service: string) => string) | undefined;

function problemOf([name, given]: [string, unknown]): Problem {
  const isFlow = Object.hasOwn(FLOW_RULES, name);
  const policy = isFlow ? undefined : policyProblem(name);
  if (!isFlow && !policy) return (service) => `has no ${name} for ${service}; it has ${NAMES}`;
  if (given === undefined) return undefined;
  const problem = policy ? policy(given) : FLOW_RULES[name as keyof FlowSettings](given)?.msg;
  return problem === undefined ? undefined : (service) => `${service}.${name} ${problem}`;
}

const pauseProblem = ({ paused, pausedUntil }: Record<string, unknown>): Problem =>
  pausedUntil !== undefined && paused !== true ? (service) => `${service}.pausedUntil needs paused: true` : undefined;
