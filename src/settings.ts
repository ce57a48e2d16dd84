/**
 * The names, types and rules of all plain options, for code that reads the module's settings from outside of code. It
 * loads neither Nest nor TypeORM's drivers, so that a command without a queue starts quickly.
 */
export { TaskOptionsError } from './contract/options.error.js';
export { type TaskValues, valueNames, valueProblems, valueType } from './options/task.values.js';
export { nearestOf } from './validation/nearest.js';
export { userIdRule } from './validation/rules.js';
export { withoutSecrets } from './validation/shown.js';
