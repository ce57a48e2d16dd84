import { createRequire } from 'node:module';
import { isAbsolute } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import { ConfigError } from './failure.js';

/** Connections to the database: enough that claims, creates and reports don't queue for one. */
const POOL = 16;

/** TypeORM's options for a DATABASE_URL. Throws a ConfigError for one that isn't known. */
export function dataSourceOptions(url: string): DataSourceOptions {
  const scheme = /^([a-z]+):/.exec(url)?.[1];
  switch (scheme) {
    case 'sqlite':
      return {
        type: 'better-sqlite3',
        // libsql: the same API, with binaries in the registry, so that nothing is compiled on a newcomer's machine.
        driver: createRequire(import.meta.url)('libsql') as unknown,
        database: sqlitePath(url),
        enableWAL: true,
      };
    case 'mysql':
    case 'mariadb':
      return { type: scheme, url: checked(url), charset: 'utf8mb4', timezone: 'Z', poolSize: POOL };
    case 'postgres':
    case 'postgresql':
      return { type: 'postgres', url: checked(url), poolSize: POOL };
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

function checked(url: string): string {
  if (!URL.canParse(url) || new URL(url).pathname.length < 2)
    throw new ConfigError(
      'DATABASE_URL',
      withoutPassword(url),
      'it must be such as mysql://user:password@host:3306/database',
    );
  return url;
}

/** A URL as it may be logged. */
export const withoutPassword = (url: string): string => url.replace(/(\/\/[^:/@]*):[^@]*@/, '$1:***@');
