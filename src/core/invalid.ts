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
