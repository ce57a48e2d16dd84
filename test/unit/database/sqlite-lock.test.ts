import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { lockSqlite, SqliteInUseError } from '../../../src/database/sqlite.lock.js';
import { createDatabase } from '../../support/databases.js';

/** Says whether another process can have the lock. */
const ELSEWHERE = `
  const lock = new (require('libsql'))(process.argv[1]);
  try { lock.exec('BEGIN EXCLUSIVE'); console.log('free'); } catch (error) { console.log(error.code); }`;

it('a second lock of one process is refused, and takes the first one nothing away', async () => {
  const database = await createDatabase('sqlite');
  const dataSource = await new DataSource(database.options()).initialize();
  const file = `${database.url.replace('sqlite:', '')}.tasks.lock`;
  const elsewhere = (): string =>
    execFileSync(process.execPath, ['-e', ELSEWHERE, file], {
      cwd: resolve(import.meta.dirname, '../../..'),
      encoding: 'utf8',
    }).trim();
  const unlock = lockSqlite(dataSource, 'tasks');
  expect(() => lockSqlite(dataSource, 'tasks')).toThrow(SqliteInUseError);
  expect(elsewhere()).toBe('SQLITE_BUSY');
  unlock();
  expect(elsewhere()).toBe('free');
  await dataSource.destroy();
  await database.drop();
});

it.each(['mysql', 'postgres'] as const)('there is none on %s, where `database` is a name and not a file', (type) => {
  const dataSource = new DataSource({ type, database: 'app' });
  expect(() => lockSqlite(dataSource, 'tasks')()).not.toThrow();
});
