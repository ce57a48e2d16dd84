import { type FieldProblem, TaskError } from '../contract/errors.js';
import { MAX_BYTES, type Rule } from './rules.js';

/** A breach of rules for values, as the client sees it. */
export const invalid = (problems: FieldProblem[]): TaskError =>
  new TaskError(problems.some((problem) => problem.rule === MAX_BYTES) ? 'TOO_LARGE' : 'INVALID_PARAM', problems);

/** Holds a value to a rule; throws INVALID_PARAM or TOO_LARGE. */
export function check(field: string, value: unknown, rule: Rule): void {
  const problem = rule(value);
  if (problem) throw invalid([{ field, rule: problem.rule, msg: `${field} ${problem.msg}` }]);
}

/** Runs checks of one item of a list: the fields in its problems get the item's place before their names. */
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
