import type { Type } from '@nestjs/common';
import { getMetadataStorage, validateSync } from 'class-validator';
import { BatchesValues } from '../batches/batches.options.js';
import { CallbackValues } from '../callbacks/callbacks.options.js';
import type { OptionProblem } from '../contract/options.error.js';
import { DashboardValues } from '../dashboard/dashboard.options.js';
import { FlowValues } from '../flow/flow.options.js';
import { HttpValues } from '../http/http.options.js';
import { LiveValues } from '../live/live.options.js';
import { MetricsValues } from '../metrics/metrics.options.js';
import { OperatorValues } from '../operator/operator.options.js';
import { QueueValues } from '../queue/queue.options.js';
import { SchedulesValues } from '../schedules/schedules.options.js';
import { SchemaValues } from '../schema/schema.options.js';

/** Each room declares its own options, with their defaults, rules and docs. These groups are plain values. */
const VALUES = [
  QueueValues,
  FlowValues,
  CallbackValues,
  LiveValues,
  MetricsValues,
  SchedulesValues,
  BatchesValues,
  HttpValues,
  OperatorValues,
  DashboardValues,
  SchemaValues,
];

/** Plain values, which a factory may return. They are read when the app starts. */
export interface TaskValues
  extends
    QueueValues,
    FlowValues,
    CallbackValues,
    LiveValues,
    MetricsValues,
    SchedulesValues,
    BatchesValues,
    HttpValues,
    OperatorValues,
    DashboardValues,
    SchemaValues {}

/** Names of the plain values. Each has a rule. */
export const valueNames = (): (keyof TaskValues)[] => VALUES.flatMap(namesOf);

/** The type of a plain value as TypeScript recorded it. */
export function valueType(option: keyof TaskValues): unknown {
  const group = VALUES.find((each) => namesOf(each).includes(option));
  return group && Reflect.getMetadata('design:type', group.prototype as object, option);
}

const namesOf = (group: Type): (keyof TaskValues)[] => [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(group, '', false, false)
      .map((metadata) => metadata.propertyName as keyof TaskValues),
  ),
];

export const defaultsOf = <T>(groups: Type[]): T => Object.assign({}, ...groups.map((group) => new group())) as T;

export const defaultValues = (): TaskValues => defaultsOf(VALUES);

/** Drops keys that are explicitly undefined, so that they do not erase a default. */
export function pick<T extends object>(options: T, names: string[]): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => value !== undefined && names.includes(name)),
  ) as Partial<T>;
}

/** Problems of plain values, by the rules next to each option. */
export function valueProblems(values: Partial<TaskValues>): OptionProblem[] {
  const problems = VALUES.flatMap((group) => {
    const own = pick(values, namesOf(group));
    return validateSync(Object.assign(new group() as object, own), { forbidUnknownValues: false });
  });
  return problems.map(({ property, value, constraints }) => ({
    option: property,
    value: value as unknown,
    msg: Object.values(constraints ?? {}).join('; '),
  }));
}
