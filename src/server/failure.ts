import { TaskOptionsError } from '../task.options.js';

/** A setting that stops the start: one line for the operator. */
export class ConfigError extends Error {
  constructor(variable: string, holds: unknown, remedy: string) {
    super(`${variable} holds ${JSON.stringify(holds)}: ${remedy}`);
  }
}

/** Name of the environment variable of an option of the module's. */
export const variableOf = (option: string): string => `TASK_${option.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;

/** Ends the process with exit code 1 and one line that says why and what to do, no stack trace. */
export function exitWith(error: unknown): never {
  process.stderr.write(`${lineOf(error)}\n`);
  process.exit(1);
}

/** What an error says, on one line. */
export function lineOf(error: unknown): string {
  if (error instanceof TaskOptionsError)
    return error.problems
      .map(({ option, msg }) => (option === 'dataSource' || option === 'table' ? msg : `${variableOf(option)}: ${msg}`))
      .join('; ');
  const { code, message, errors } = error as { code?: string; message?: string; errors?: Error[] };
  // node:net gathers the failures of localhost's two addresses under an error without words.
  const words = message || errors?.map((inner) => inner.message).join('; ') || code || String(error);
  return words.replaceAll(/\s+/g, ' ');
}
