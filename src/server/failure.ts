import { TaskOptionsError, withoutSecrets } from '../settings.js';

/** A setting that prevents the start: one line for the operator, without secrets that the value may contain. */
export class ConfigError extends Error {
  constructor(variable: string, holds: unknown, remedy: string) {
    super(`${variable} holds ${JSON.stringify(typeof holds === 'string' ? withoutSecrets(holds) : holds)}: ${remedy}`);
  }
}

/** The environment variable of an option of the module. */
export const variableOf = (option: string): string => `TASK_${option.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;

/** Ends the process with exit code 1 and one line with the reason and the remedy, without a stack trace. */
export function exitWith(error: unknown): never {
  process.stderr.write(`${lineOf(error)}\n`);
  process.exit(1);
}

/** An error's text on one line. */
export function lineOf(error: unknown): string {
  if (error instanceof TaskOptionsError)
    return error.problems
      .map(({ option, msg }) => (option === 'dataSource' || option === 'table' ? msg : `${variableOf(option)}: ${msg}`))
      .join('; ');
  const { code, message, errors } = error as { code?: string; message?: string; errors?: Error[] };
  // node:net wraps the errors of localhost's two addresses in an error without a message.
  const words = message || errors?.map((inner) => inner.message).join('; ') || code || String(error);
  return words.replaceAll(/\s+/g, ' ');
}
