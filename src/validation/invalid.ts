import { type FieldProblem, TaskError } from '../contract/errors.js';
import type { Rule } from './rule.js';
import { MAX_BYTES } from './rules.js';

/** The error for values that break rules. */
export const invalid = (problems: FieldProblem[]): TaskError =>
  new TaskError(problems.some((problem) => problem.rule === MAX_BYTES) ? 'TOO_LARGE' : 'INVALID_PARAM', problems);

/** Checks a value by a rule. Throws INVALID_PARAM or TOO_LARGE. */
export function check(field: string, value: unknown, rule: Rule): void {
  const problem = rule(value);
  if (problem) throw invalid([{ field, rule: problem.rule, msg: `${field} ${problem.msg}` }]);
}

/** Runs the checks of one list item. Its problems get the item's place before their field names. */
export function within<T>(place: string, checks: () => T): T {
  const rethrow = (error: unknown): never => {
    throw error instanceof TaskError && Array.isArray(error.detail)
      ? invalid((error.detail as FieldProblem[]).map((problem) => ({ ...problem, field: place + problem.field })))
      : error;
  };
  try {
    const result = checks();
    return result instanceof Promise ? (result.catch(rethrow) as T) : result;
  } catch (error) {
    return rethrow(error);
  }
}
