import { existsSync } from 'node:fs';
import { DataSource } from 'typeorm';
import {
  CALLBACK_STATES,
  type Callbacks,
  type CallbackState,
  type TaskCallback,
  TaskError,
  withTaskCallbacks,
} from '../../index.js';
import { type Environment, readConfig, type ServerConfig } from '../config.js';
import { connecting } from '../connecting.js';
import { ConfigError } from '../failure.js';
import { type Command, type Printed, UsageError } from './command.js';

const USAGE =
  `Usage: npm run callbacks -- list [${CALLBACK_STATES.join('|')}]   (dead, if none is named; at most 1000)\n` +
  '       npm run callbacks -- replay <id>...                (deliver these again)\n' +
  '       npm run callbacks -- replay dead                   (deliver all dead ones again)';
/** The table of the standalone server. */
const TABLE = 'tasks';
const PAGE = 1000;

/**
 * `npm run callbacks -- list|replay`: shows what the server could not deliver, and delivers it again. It only uses the
 * database, next to a running server (on SQLite, too). The server finds due callbacks within 2 s.
 */
export const callbacks: Command = async ([command, ...args], environment) => {
  const state = (args[0] ?? 'dead') as CallbackState;
  if (command === 'list' && args.length <= 1 && CALLBACK_STATES.includes(state))
    return withCallbacks(environment, (callbacks) => list(callbacks, state));
  if (command === 'replay' && args.length > 0)
    return withCallbacks(environment, (callbacks) =>
      args[0] === 'dead' ? replayDead(callbacks) : replay(callbacks, args),
    );
  throw new UsageError(USAGE);
};

async function list(callbacks: Callbacks, state: CallbackState): Promise<Printed> {
  const { list } = await callbacks.list({ state, limit: PAGE });
  return { lines: list.length > 0 ? list.map(lineOfCallback) : [`no callback is ${state}`] };
}

async function replay(callbacks: Callbacks, ids: string[]): Promise<Printed> {
  const lines: string[] = [];
  let failed = false;
  for (const id of ids) {
    try {
      await callbacks.replay(id);
      lines.push(`${id} is due now`);
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      failed = true;
      lines.push(`${JSON.stringify(id)} is not the id of a callback; npm run callbacks -- list shows their ids`);
    }
  }
  return { lines, failed };
}

async function replayDead(callbacks: Callbacks): Promise<Printed> {
  let count = 0;
  let cursor: string | null | undefined;
  do {
    const { list, nextCursor } = await callbacks.list({ state: 'dead', limit: PAGE, cursor: cursor ?? undefined });
    for (const { id } of list) await callbacks.replay(id);
    count += list.length;
    cursor = nextCursor;
  } while (cursor);
  return { lines: [`${count} ${count === 1 ? 'callback is' : 'callbacks are'} due now`] };
}

function lineOfCallback({ id, taskId, type, url, state, attempts, tries }: TaskCallback): string {
  const last = tries.at(-1);
  const result = last ? `, last at ${last.time}: ${last.error ?? `HTTP ${last.status}`}` : '';
  return `${id}  ${state}  ${type}  task ${taskId}  ${url}  tries: ${attempts}${result}`.replaceAll(/\p{Cc}/gu, ' ');
}

async function withCallbacks<T>(
  environment: Environment | undefined,
  work: (callbacks: Callbacks) => Promise<T>,
): Promise<T> {
  const config = readConfig(environment);
  assertExists(config);
  return connecting(config, async () => {
    const dataSource = await new DataSource(config.database).initialize();
    try {
      const runner = dataSource.createQueryRunner();
      const exists = await runner.hasTable(`${TABLE}_callbacks`).finally(() => runner.release());
      if (!exists) throw new ConfigError('DATABASE_URL', config.databaseUrl, 'it has no tasks yet; run npm start');
      return await withTaskCallbacks(dataSource, { table: TABLE }, work);
    } finally {
      await dataSource.destroy();
    }
  });
}

/** SQLite would create a missing file. */
function assertExists({ database, databaseUrl }: ServerConfig): void {
  if (database.type === 'better-sqlite3' && !existsSync(database.database))
    throw new ConfigError('DATABASE_URL', databaseUrl, 'this file does not exist yet; run npm start first');
}
