import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { call } from '../support/http.js';
import { type Ended, runBuilt, startServer } from '../support/server.js';

const TOKEN = 'a-worker-token-of-ours';

describe.each(ENGINES)('migrations apart from the start (%s)', (engine) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(engine);
  });
  afterAll(() => database?.drop());

  const environment = (): Record<string, string> => ({
    DATABASE_URL: database.url,
    TASK_MIGRATE: 'false',
    TASK_JWT_SECRET: 'a-secret-of-at-least-32-bytes-in-length',
    TASK_WORKER_TOKENS: TOKEN,
  });
  const migrate = (): Promise<Ended> => runBuilt('server/migrate.cli.js', [], environment());

  it('an empty database is refused in one line that says what to run', async () => {
    const { code, stdout, stderr } = await runBuilt('main.js', [], environment());
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^TASK_MIGRATE holds "false": then `npm run migrate` must run before: .*table tasks is missing.*\n$/,
    );
  });

  it('run once, and are up to date from then on', async () => {
    const address = database.url.replace(/(\/\/[^:/@]*):[^@]*@/, '$1:***@');
    const first = await migrate();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/: ran \w+(, \w+)*\n$/);
    expect(first.stdout).toContain(address);
    expect(await migrate()).toEqual({ code: 0, stdout: `${address}: up to date\n`, stderr: '' });
  });

  it('let a server start that runs none itself', async () => {
    const server = await startServer(environment());
    const ready = await call('GET', `${server.url}/health/ready`);
    const claimed = await call('GET', `${server.url}/api/crontask`, { headers: { authorization: `Bearer ${TOKEN}` } });
    await server.stop();
    expect([ready.status, claimed.body]).toEqual([200, { status: 1, data: [] }]);
    expect(server.output()).not.toContain('migrated');
  });

  it('of a newer release stop the start and the command, each with one line', async () => {
    const dataSource = await new DataSource(database.options()).initialize();
    await dataSource.query(
      "INSERT INTO task_migrations (timestamp, name) VALUES (9999999999999, 'SoftddTask_tasks_Future9999999999999')",
    );
    await dataSource.destroy();
    const line =
      /^DATABASE_URL holds "[^"]+": the database can't be used: The database is newer than this release .*Future9999999999999.*\n$/;
    for (const ended of [await runBuilt('main.js', [], { ...environment(), TASK_MIGRATE: 'true' }), await migrate()]) {
      expect([ended.code, ended.stdout]).toEqual([1, '']);
      expect(ended.stderr).toMatch(line);
    }
  });
});
