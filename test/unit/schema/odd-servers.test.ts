import { afterEach, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions, DefaultNamingStrategy } from 'typeorm';
import { Task } from '../../../src/index.js';
import { administer, createDatabase, describeOn, ENGINES, type TestDatabase } from '../../support/databases.js';
import { startHost } from '../../support/host.js';
import { connect, openQueue, problemsOf, withQueue } from './fixtures/queue.js';

let database: TestDatabase | undefined;
let dataSource: DataSource | undefined;
afterEach(async () => {
  await dataSource?.destroy();
  await database?.drop();
  database = dataSource = undefined;
});

describeOn('postgres')('a database that cannot hold every character, on %s', () => {
  it.each(['LATIN1', 'SQL_ASCII'])('is refused at the start: %s', async (encoding) => {
    const name = `softdd_task_test_${process.pid}_${encoding.toLowerCase()}`;
    await administer('postgres', `CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
    const url = `${process.env.TEST_POSTGRES_URL!.replace(/\/+$/, '')}/${name}`;
    const options = { type: 'postgres', url, entities: [Task] } as DataSourceOptions;
    const odd = await new DataSource(options).initialize();
    try {
      await expect(openQueue(odd)).rejects.toThrow(`has encoding ${encoding}`);
    } finally {
      await odd.destroy();
      await administer('postgres', `DROP DATABASE ${name} WITH (FORCE)`);
    }
  });
});

describeOn('mysql')('an account without the TRIGGER privilege, on %s', () => {
  it.each(['SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX'])(
    'starts on a schema that is whole, and changes nothing of it: %s',
    async (privileges) => {
      database = await createDatabase('mysql');
      dataSource = await connect(database);
      await withQueue(dataSource, {}, () => Promise.resolve());
      const name = new URL(database.url).pathname.slice(1);
      const account = `softdd_${process.pid}`;
      await administer('mysql', `CREATE USER '${account}'@'%' IDENTIFIED BY 'secret'`);
      try {
        await administer('mysql', `GRANT ${privileges} ON \`${name}\`.* TO '${account}'@'%'`);
        const url = new URL(database.url);
        url.username = account;
        url.password = 'secret';
        const least = await new DataSource({
          ...database.options(),
          url: url.href,
          entities: [Task],
        } as DataSourceOptions).initialize();
        try {
          await withQueue(least, {}, async ({ service }) => {
            await service.create({ userId: 'alice', input: 'in', status: 10 });
            expect(await service.claim()).toHaveLength(1);
          });
        } finally {
          await least.destroy();
        }
        expect(await problemsOf(dataSource)).toEqual([]);
      } finally {
        await administer('mysql', `DROP USER '${account}'@'%'`);
      }
    },
  );
});

it.each([
  ['entityPrefix', { entityPrefix: 'app_' }],
  [
    'a naming strategy',
    {
      namingStrategy: new (class extends DefaultNamingStrategy {
        override tableName(target: string, given: string | undefined): string {
          return `app_${super.tableName(target, given)}`;
        }
      })(),
    },
  ],
])('the option `table` is taken together with %s', async (_, typeorm) => {
  const host = await startHost({
    engine: ENGINES[0]!,
    adapter: 'express',
    options: { table: 'jobs' },
    typeorm: typeorm as object,
  });
  try {
    expect((await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } })).status).toBe(200);
    expect(await host.app.get(DataSource).query('SELECT input FROM app_jobs')).toEqual([{ input: 'in' }]);
  } finally {
    await host.close();
  }
});
