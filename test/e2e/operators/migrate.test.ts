import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { migrate } from '../../../src/server/cli/migrate.command.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { call } from '../../support/http.js';
import type { Ended } from '../../support/server.js';
import { failToServe, runCommand, serveHere } from '../../support/server-here.js';

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
  const run = (): Promise<Ended> => runCommand(migrate, [], environment());

  it('an empty database is refused in one line that says what to run', async () => {
    const { stdout, line } = await failToServe(environment());
    expect(stdout).toBe('');
    expect(line).toMatch(/^TASK_MIGRATE holds "false": run `npm run migrate` first: .*table tasks is missing.*$/);
  });

  it('run once, and are up to date from then on', async () => {
    const address = database.url.replace(/(\/\/[^:/@]*):[^@]*@/, '$1:***@');
    const first = await run();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/: ran \w+(, \w+)*\n$/);
    expect(first.stdout).toContain(address);
    expect(await migrate([], environment())).toEqual({ lines: [`${address}: up to date`] });
  });

  it('let a server start that runs none itself', async () => {
    const server = await serveHere(environment());
    const ready = await call('GET', `${server.url}/health/ready`);
    const claimed = await call('GET', `${server.url}/api/crontask`, { headers: { authorization: `Bearer ${TOKEN}` } });
    await server.stop();
    expect([ready.status, claimed.body]).toEqual([200, { status: 1, data: [] }]);
    expect(server.logs.join('\n')).not.toContain('migrated');
  });

  it('of a newer release stop the start and the command, each with one line', async () => {
    const dataSource = await new DataSource(database.options()).initialize();
    await dataSource.query(
      "INSERT INTO task_migrations (timestamp, name) VALUES (9999999999999, 'SoftddTask_tasks_Future9999999999999')",
    );
    await dataSource.destroy();
    const line =
      /^DATABASE_URL holds "[^"]+": the database cannot be used: The database is newer than this release .*Future9999999999999.*$/;
    const started = await failToServe({ ...environment(), TASK_MIGRATE: 'true' });
    expect(started.stdout).toBe('');
    expect(started.line).toMatch(line);
    const { code, stdout, stderr } = await run();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.slice(0, -1)).toMatch(line);
    expect(stderr.slice(-1)).toBe('\n');
  });
});
