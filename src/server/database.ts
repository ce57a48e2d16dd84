import { createRequire } from 'node:module';
import { isAbsolute } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import { withoutSecrets } from '../settings.js';
import { ConfigError } from './failure.js';

/** Milliseconds to wait for a connection. A database that does not answer by then counts as down. */
const CONNECT_TIMEOUT = 10_000;

/** Connections to the database: enough that claims, creates and reports do not wait for one. */
const POOL = 16;
/** TypeORM's table of migrations. Its default, `migrations`, is also Laravel's. */
const LEDGER = 'task_migrations';

/** TypeORM's options for a DATABASE_URL. Throws a ConfigError if the URL is not supported. */
export function dataSourceOptions(url: string): DataSourceOptions {
  const scheme = /^([a-z]+):/.exec(url)?.[1];
  switch (scheme) {
    case 'sqlite':
      return {
        type: 'better-sqlite3',
        // libsql has the same API and prebuilt binaries in the registry, so that a newcomer's machine compiles nothing.
        driver: createRequire(import.meta.url)('libsql') as unknown,
        database: sqlitePath(url),
        enableWAL: true,
        migrationsTableName: LEDGER,
      };
    case 'mysql':
    case 'mariadb':
      return {
        type: scheme,
        url: checked(url, 3306),
        charset: 'utf8mb4',
        timezone: 'Z',
        poolSize: POOL,
        migrationsTableName: LEDGER,
        connectTimeout: CONNECT_TIMEOUT,
      };
    case 'postgres':
    case 'postgresql':
      return {
        type: 'postgres',
        url: checked(url, 5432),
        poolSize: POOL,
        migrationsTableName: LEDGER,
        connectTimeoutMS: CONNECT_TIMEOUT,
      };
    default:
      throw new ConfigError(
        'DATABASE_URL',
        url,
        'it must begin with sqlite:, mysql://, mariadb:// or postgres://, as in sqlite:data/task.sqlite',
      );
  }
}

function sqlitePath(url: string): string {
  const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/|[^/])/, '');
  if (path === '') throw new ConfigError('DATABASE_URL', url, 'it must name a file, as in sqlite:data/task.sqlite');
  return path === ':memory:' || isAbsolute(path) ? path : `./${path}`.replace(/^\.\/\.\//, './');
}

function checked(url: string, port: number): string {
  if (!isServerUrl(url))
    throw new ConfigError(
      'DATABASE_URL',
      url,
      `it must have the form ${url.split(':', 1)[0]}://user:password@host:${port}/database, percent-encoded where necessary`,
    );
  return url;
}

function isServerUrl(url: string): boolean {
  try {
    const { hostname, pathname, username, password } = new URL(url);
    return hostname !== '' && pathname.length > 1 && decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}

/** A DATABASE_URL that may be logged. A path of SQLite may contain any character and no password. */
export const withoutPassword = (url: string): string => (url.startsWith('sqlite:') ? url : withoutSecrets(url));
