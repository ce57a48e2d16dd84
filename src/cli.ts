import { type Command, UsageError } from './server/cli/command.js';

/** Each command is loaded only when it is used: printing a token needs neither a database nor a server. */
const COMMANDS = new Map<string | undefined, () => Promise<Command>>([
  ['token', async () => (await import('./server/cli/token.command.js')).token],
  ['callbacks', async () => (await import('./server/cli/callbacks.command.js')).callbacks],
  ['migrate', async () => (await import('./server/cli/migrate.command.js')).migrate],
  ['openapi', async () => (await import('./server/cli/openapi.command.js')).openapi],
]);

const [name, ...args] = process.argv.slice(2);
try {
  const load = COMMANDS.get(name);
  if (!load) throw new UsageError(`Usage: npm run ${[...COMMANDS.keys()].join('|')}`);
  const { lines, failed } = await (await load())(args);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (failed) process.exitCode = 1;
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const { exitWith } = await import('./server/failure.js');
  exitWith(error);
}
