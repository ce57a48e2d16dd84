import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Command, UsageError } from '../../src/server/cli/command.js';
import { type Environment, readConfig } from '../../src/server/config.js';
import { serveDocs } from '../../src/server/docs.js';
import { lineOf } from '../../src/server/failure.js';
import { loadSecrets } from '../../src/server/secrets.js';
import { createApp, serve } from '../../src/server/serve.js';
import { WHOLE } from './host.js';
import { type Ended, newFolder, runBuilt } from './server.js';

// The files of the OpenAPI page: Jest on Node 20 can't load what serves them. Tests of that page take a process.
jest.unstable_mockModule('@fastify/static', () => ({ default: async () => undefined }));

/** The settings of a server on a free port, with a database of its own where `given` names none. */
const environmentOf = (given: Environment): Environment => ({
  PORT: '0',
  DATABASE_URL: `sqlite:${newFolder()}/data/task.sqlite`,
  ...given,
});

/** Nest holds the logs of a start back in a static list, which the next app of this process would print. */
function dropLogs(): void {
  Logger.overrideLogger(false);
  Logger.flush();
}

/** Takes what is logged from here on, and what the start has held back. */
function collectLogs(): string[] {
  const lines: string[] = [];
  const add = (message: unknown): void => void lines.push(String(message));
  Logger.overrideLogger({ log: add, error: add, warn: add });
  Logger.flush();
  return lines;
}

export interface ServerHere {
  url: string;
  /** What was logged, a message each: by this server, until another one starts in this process. */
  logs: string[];
  stop(): Promise<void>;
}

/**
 * The standalone server in this process: for tests of what it answers, not of how its process starts and ends. A
 * process of its own takes ten times as long.
 */
export async function serveHere(given: Environment): Promise<ServerHere> {
  const config = readConfig(environmentOf(given));
  const app = await createApp(config, loadSecrets(config));
  serveDocs(app);
  await app.listen(config.port, config.host);
  return { url: await app.getUrl(), logs: collectLogs(), stop: () => app.close().finally(dropLogs) };
}

/** A start that must fail, in this process: what it says at its end, and what it has printed before. */
export async function failToServe(given: Environment): Promise<{ stdout: string; line: string }> {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const initialize = jest.spyOn(DataSource.prototype, 'initialize');
  try {
    await serve(readConfig(environmentOf(given)));
  } catch (error) {
    // Nest closes nothing of an app that it can't create: a pool would keep this process from its end.
    for (const dataSource of initialize.mock.contexts as DataSource[])
      if (dataSource.isInitialized) await dataSource.destroy();
    return { stdout: write.mock.calls.join(''), line: lineOf(error) };
  } finally {
    write.mockRestore();
    initialize.mockRestore();
    dropLogs();
  }
  throw new Error('it has started');
}

/**
 * A command of `cli.js`, to its end: in `npm run test:all` in a process of its own, as npm runs it, and else in this
 * one.
 */
export const runCommand = (command: Command, args: string[], environment: Record<string, string>): Promise<Ended> =>
  WHOLE
    ? runBuilt('cli.js', [command.name, ...args], environment)
    : command(args, environment).then(
        ({ lines, failed }) => ({ code: failed ? 1 : 0, stdout: `${lines.join('\n')}\n`, stderr: '' }),
        (error: unknown) => ({
          code: 1,
          stdout: '',
          stderr: `${error instanceof UsageError ? error.message : lineOf(error)}\n`,
        }),
      );
