import type { Environment } from '../config.js';

/** The lines that a command prints. With `failed` the process ends with exit code 1. */
export interface Printed {
  lines: string[];
  failed?: boolean;
}

/** A command for operators: `npm run <name> -- <args>`. Without an environment it reads the shell's and `.env`. */
export type Command = (args: string[], environment?: Environment) => Promise<Printed>;

/** The arguments are wrong. The message says how to use the command. */
export class UsageError extends Error {}
