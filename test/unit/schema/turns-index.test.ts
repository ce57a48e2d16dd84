import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations, type TaskModuleOptions } from '../../../src/index.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { dumpSchema } from './fixtures/dump.js';
import { connect, openQueue, problemsOf, withQueue } from './fixtures/queue.js';

const MISSING = 'index tasks_ready_owner is missing';
const OPERATED: TaskModuleOptions = { operatorTokens: ['an-operator-token-0123456789'] };

const WITH = { turns: true };

describe.each(ENGINES)('the index in which owners take turns, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const isThere = async (): Promise<boolean> => {
    const { indexes } = await dumpSchema(dataSource, engine, engine === 'mysql' ? 'tasks_ready' : 'tasks');
    return indexes.some((line) => line.includes('tasks_ready_owner'));
  };
  const startWith = (options: TaskModuleOptions): Promise<string[]> =>
    withQueue(dataSource, { migrate: true, ...options }, (queue) => Promise.resolve(queue.migrated));

  it('is not made where nobody could ever switch turns on, and made by the start where somebody can', async () => {
    await startWith({});
    expect([await isThere(), await problemsOf(dataSource)]).toEqual([false, []]);
    expect(await startWith({})).toEqual([]);
    expect(await startWith(OPERATED)).toEqual([MISSING]);
    expect([await isThere(), await problemsOf(dataSource, WITH)]).toEqual([true, []]);
  });

  it('is made for a service that the options name, and stays when they name none', async () => {
    await startWith({ services: { default: {} } });
    expect(await isThere()).toBe(true);
    expect(await startWith({})).toEqual([]);
    expect([await isThere(), await problemsOf(dataSource)]).toEqual([true, []]);
  });

  it('is named by a start that may not make it', async () => {
    await startWith({});
    expect(await problemsOf(dataSource, WITH)).toEqual([MISSING]);
    await expect(openQueue(dataSource, { ...OPERATED, migrate: false })).rejects.toThrow(MISSING);
    await withQueue(dataSource, { migrate: false }, () => Promise.resolve());
    await runTaskMigrations(dataSource);
    await withQueue(dataSource, { ...OPERATED, migrate: false }, () => Promise.resolve());
  });
});
