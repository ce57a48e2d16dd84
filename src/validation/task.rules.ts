import { type FieldUse, type TaskField, writtenFields } from '../contract/task.fields.js';
import { BOUNDS } from '../protocol/bounds.js';
import { check, invalid } from './invalid.js';
import type { ValueRule } from './rule.js';
import { integer, shortText, textRule, timeRule } from './rules.js';
import { urlRule } from './url.rule.js';

/** What a request may send for a field of a task. */
export function ruleOf({ kind, length, value }: TaskField): ValueRule {
  if (value === 'url') return urlRule;
  if (length !== undefined) return shortText(length);
  const { min, max } = value ?? (kind === 'small' ? BOUNDS.priority : BOUNDS.status);
  switch (kind) {
    case 'time':
    case 'local time':
      return timeRule;
    case 'tiny':
    case 'small':
    case 'int':
      return integer(min, max);
    default:
      return textRule;
  }
}

/** The fields that a request may write, with their rules. */
const WRITTEN: Record<FieldUse, [name: string, rule: ValueRule, isRequired: boolean][]> = {
  create: rulesOf('create'),
  change: rulesOf('change'),
  report: rulesOf('report'),
};

function rulesOf(use: FieldUse): [string, ValueRule, boolean][] {
  return writtenFields(use).map(([name, field]) => [name, ruleOf(field), field[use]!.required === true]);
}

/** Checks what a request writes to the fields of a task. Throws INVALID_PARAM or TOO_LARGE for the first wrong value. */
export function checkWritten(use: FieldUse, values: object): void {
  for (const [name, rule, isRequired] of WRITTEN[use]) {
    const value = (values as Record<string, unknown>)[name];
    if (isRequired || value !== undefined) check(name, value, rule);
  }
}

export function checkStatus(status: number, allowed: readonly number[]): void {
  if (!allowed.includes(status))
    throw invalid([{ field: 'status', rule: 'isIn', msg: `status must be one of ${allowed.join(', ')}` }]);
}
