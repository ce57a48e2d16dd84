import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import { type TaskDynamicOptions, TaskValues, valueNames, valueProblems } from '../task.options.js';
import { dataSourceOptions } from './database.js';
import { ConfigError, variableOf } from './failure.js';

/** The standalone server's settings, read once from the environment and `.env`. */
export interface ServerConfig {
  host: string;
  port: number;
  databaseUrl: string;
  database: DataSourceOptions;
  /** Where secrets are kept that were not given. */
  dataFolder: string;
  /** HS256 secret of user tokens; absent: made at the first start. */
  jwtSecret: string | undefined;
  /** Origins that browsers may call from. */
  corsOrigins: string[];
  /** Value options of the module, by TASK_<OPTION>. */
  task: TaskDynamicOptions;
}

/** Options that no message shows. */
const SECRETS = ['workerTokens', 'callbackSecret'];

type Environment = Record<string, string | undefined>;

/** Throws a ConfigError that names the variable, what it holds, and what it may hold. */
export function readConfig(environment: Environment = loadEnvironment()): ServerConfig {
  const databaseUrl = environment.DATABASE_URL || 'sqlite:data/task.sqlite';
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

/** What the shell says wins over `.env`. */
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
  // RFC 7518, 3.2: a key for HS256 must be at least as long as the hash.
  if (text && Buffer.byteLength(text) < 32)
    throw new ConfigError('TASK_JWT_SECRET', '…', 'it must be at least 32 bytes');
  return text || undefined;
}

function readOrigin(text: string): string {
  if (text === '' || text === '*' || (URL.canParse(text) && new URL(text).origin === text)) return text;
  throw new ConfigError(
    'TASK_CORS_ORIGINS',
    text,
    'it must be origins such as https://app.example.com, with commas between, or *',
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
  const type: unknown = Reflect.getMetadata('design:type', TaskValues.prototype, option);
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
