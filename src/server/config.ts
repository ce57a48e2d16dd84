import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import type { TaskDynamicOptions } from '../index.js';
import { type TaskValues, valueNames, valueProblems, valueType } from '../settings.js';
import { dataSourceOptions } from './database.js';
import { ConfigError, variableOf } from './failure.js';
import { checkVariables } from './unknown-variables.js';

/** The standalone server's settings, read once from the environment and `.env`. */
export interface ServerConfig {
  host: string;
  port: number;
  databaseUrl: string;
  database: DataSourceOptions;
  /** The folder for secrets that were not given. */
  dataFolder: string;
  /** HS256 secret of user tokens. undefined: created at the first start. */
  jwtSecret: string | undefined;
  /** Origins from which browsers may call. */
  corsOrigins: string[];
  /** Plain options of the module, from TASK_<OPTION>. */
  task: TaskDynamicOptions;
}

/** Options that no message may show. */
const SECRETS = ['workerTokens', 'operatorTokens', 'operatorReadTokens', 'callbackSecret'];

/** RFC 7518, 3.2: a key for HS256 must be at least as long as the hash. */
export const isShort = (secret: string): boolean => Buffer.byteLength(secret) < 32;
export const SHORTEST = 'at least 32 bytes';

export type Environment = Record<string, string | undefined>;

/** Throws a ConfigError that names the variable, its value, and the allowed values. */
export function readConfig(environment: Environment = loadEnvironment()): ServerConfig {
  checkVariables(environment);
  const databaseUrl = environment.DATABASE_URL ?? 'sqlite:data/task.sqlite';
  // An empty variable is mostly a secret that did not arrive, and its operator does not want a new empty queue.
  if (databaseUrl.trim() === '')
    throw new ConfigError(
      'DATABASE_URL',
      '',
      'set a database such as postgres://user:password@host:5432/database, or unset the variable for the embedded one',
    );
  const database = dataSourceOptions(databaseUrl);
  return {
    host: environment.HOST || '127.0.0.1',
    port: readPort(environment.PORT || '3000'),
    databaseUrl,
    database,
    dataFolder:
      database.type === 'better-sqlite3' && database.database !== ':memory:' ? dirname(database.database) : 'data',
    jwtSecret: readSecret(environment.TASK_JWT_SECRET),
    corsOrigins: (environment.TASK_CORS_ORIGINS ?? '')
      .split(',')
      .map((origin) => readOrigin(origin.trim()))
      .filter(Boolean),
    task: readTaskOptions(environment),
  };
}

/** The shell's variables win over `.env`. */
function loadEnvironment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new ConfigError('PORT', text, 'it must be an integer from 0 to 65535 (0: any free port)');
  return port;
}

function readSecret(text: string | undefined): string | undefined {
  if (text && isShort(text)) throw new ConfigError('TASK_JWT_SECRET', '…', `it must be ${SHORTEST}`);
  return text || undefined;
}

function readOrigin(text: string): string {
  if (text === '' || text === '*' || (URL.canParse(text) && new URL(text).origin === text)) return text;
  throw new ConfigError(
    'TASK_CORS_ORIGINS',
    text,
    'it must be origins such as https://app.example.com, separated by commas, or *',
  );
}

/** Every plain option of the module, by the type of its property. */
function readTaskOptions(environment: Environment): TaskDynamicOptions {
  const values: Record<string, unknown> = {};
  for (const option of valueNames()) {
    const text = environment[variableOf(option)];
    if (text !== undefined && text !== '') values[option] = convert(option, text);
  }
  const [problem] = valueProblems(values as TaskDynamicOptions);
  if (problem) {
    const variable = variableOf(problem.option);
    const holds = SECRETS.includes(problem.option) ? '…' : environment[variable];
    throw new ConfigError(variable, holds, problem.msg);
  }
  return values as TaskDynamicOptions;
}

function parseJson(variable: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(variable, text, `it must be JSON: ${(error as Error).message}`);
  }
}

function convert(option: keyof TaskValues, text: string): unknown {
  const type: unknown = valueType(option);
  const variable = variableOf(option);
  if (type === Array)
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  if (type === Number) {
    if (!/^-?\d+$/.test(text)) throw new ConfigError(variable, text, 'it must be an integer');
    return Number(text);
  }
  if (type === Object) return parseJson(variable, text);
  if (type === Boolean) {
    if (text !== 'true' && text !== 'false') throw new ConfigError(variable, text, 'it must be true or false');
    return text === 'true';
  }
  return text;
}
