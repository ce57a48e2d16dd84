import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import { ContractStructure } from '../contract/contract.options.js';
import type { OptionProblem } from '../contract/options.error.js';
import { AUDIENCES } from '../http/binding/audiences.js';
import { URIS } from '../protocol/uris.js';
import { ControllerStructure } from '../http/controller.options.js';
import { HttpStructure, TaskUris, type OperatorAccessResolver, type UserIdResolver } from '../http/http.options.js';
import type { OperatorListener } from '../operator/audit.js';
import type { MetricsRegistry } from '../metrics/metrics-registry.js';
import { defaultsOf, defaultValues, pick, type TaskValues, valueNames } from './task.values.js';

/** Each room declares its own options, with their defaults, rules and docs. These groups shape a registration. */
const STRUCTURE = [TaskUris, ContractStructure, ControllerStructure, HttpStructure];

/** Options that shape routes, providers and the OpenAPI document. They must be known when the module is imported. */
export interface TaskStructure extends TaskUris, ContractStructure, ControllerStructure, HttpStructure {}

/** Options that a factory may return, functions included. */
export interface TaskDynamicOptions extends Partial<TaskValues> {
  /** The owner for whom a request acts. Nothing means nobody. @defaultValue request.user.id, else request.user.sub */
  userId?: UserIdResolver;

  /**
   * Registry of the package `prom-client` to which the queue adds its metrics, `softdd_task_…`. Several registrations may
   * share one: their names are the label `queue`. @defaultValue undefined
   */
  metricsRegistry?: MetricsRegistry;

  /** What an operator whom tokens and guards let in may do: 'all', 'read' or undefined. @defaultValue () => 'all' */
  operatorAccess?: OperatorAccessResolver;

  /**
   * Called after each action of an operator in this process, with who did what to how many: for an audit trail. What it
   * throws is logged. @defaultValue undefined
   */
  onOperator?: OperatorListener;
}

export interface TaskModuleOptions extends Partial<TaskStructure>, TaskDynamicOptions {}

export interface TaskModuleAsyncOptions extends Partial<TaskStructure> {
  useFactory: (...args: any[]) => TaskDynamicOptions | Promise<TaskDynamicOptions>;
  inject?: (InjectionToken | OptionalFactoryDependency)[];
}

/** Structure and values, with defaults filled in. */
export interface ResolvedTaskOptions extends TaskStructure, TaskValues {
  userId: UserIdResolver;
  metricsRegistry?: MetricsRegistry | undefined;
  operatorAccess: OperatorAccessResolver;
  onOperator?: OperatorListener | undefined;
}

export const defaultUserId: UserIdResolver = (request) => request?.user?.id ?? request?.user?.sub;

export function resolveStructure(options: Partial<TaskStructure>): TaskStructure {
  const given = pick(options, structureNames());
  // If the list route is moved, its variants move with it: they need no options, and two registrations do not clash.
  const { getTaskListUri: list, name } = given;
  const lists = list === undefined ? {} : { postTaskListUri: `${list}/list`, getTaskEventsUri: `${list}/events` };
  const operators =
    name === undefined ? {} : { operatorUri: `${URIS.operatorUri}-${name.replaceAll(/[^\w.~-]/g, '-')}` };
  return { ...defaultsOf<TaskStructure>(STRUCTURE), ...lists, ...operators, ...given };
}

/** Options that are no plain values. */
export const FUNCTIONS: readonly string[] = ['userId', 'operatorAccess', 'metricsRegistry', 'onOperator'];
type Functions = Pick<ResolvedTaskOptions, 'userId' | 'operatorAccess' | 'metricsRegistry' | 'onOperator'>;

export const resolveValues = (options: TaskDynamicOptions): TaskValues & Functions => ({
  userId: options.userId ?? defaultUserId,
  operatorAccess: options.operatorAccess ?? (() => 'all'),
  metricsRegistry: options.metricsRegistry,
  onOperator: options.onOperator,
  ...defaultValues(),
  ...pick(options, valueNames()),
});

/** Options that must be functions and are something else. */
export const functionProblems = (options: TaskDynamicOptions): OptionProblem[] =>
  (['userId', 'operatorAccess', 'onOperator'] as const)
    .filter((option) => options[option] !== undefined && typeof options[option] !== 'function')
    .map((option) => ({ option, msg: 'must be a function', value: options[option] }));

/** Names of the options that shape a registration. */
export const structureNames = (): string[] => {
  const guards = Object.values(AUDIENCES).map((audience) => audience.guards);
  return [...new Set([...Object.keys(defaultsOf(STRUCTURE)), 'table', 'dto', ...guards])];
};

/** Unknown options: misspelt, or on the wrong side of a factory. */
export function strangeOptions(given: object, known: readonly string[]): OptionProblem[] {
  return Object.entries(given)
    .filter(([option, value]) => value !== undefined && !known.includes(option))
    .map(([option]) => ({
      option,
      msg: structureNames().includes(option)
        ? 'shapes routes and documents; set it next to useFactory'
        : [...valueNames(), ...FUNCTIONS].includes(option)
          ? 'is a value; return it from useFactory'
          : `there is no such option; the options are ${known.join(', ')}`,
    }));
}
