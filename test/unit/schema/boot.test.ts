import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { NewerSchemaError, runTaskMigrations, TASK_STATUS } from '../../../src/index.js';
import { engineProblem, skipLockedProblem } from '../../../src/database/engine.check.js';
import { createDatabase, ENGINES, type TestDatabase } from '../../support/databases.js';
import { itInWhole } from '../../support/host.js';
import { type RunningServer, startServer } from '../../support/server.js';
import { connect, openQueue, withQueue } from './fixtures/queue.js';

describe.each(ENGINES)('the start without migrating on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
  });
  afterEach(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const refusal = (options = {}): Promise<string> =>
    openQueue(dataSource, { migrate: false, ...options }).then(
      async (queue) => queue.close().then(() => 'started'),
      (error: Error) => error.message,
    );

  it('accepts the schema that the options ask for', async () => {
    await runTaskMigrations(dataSource);
    expect(await refusal()).toBe('started');
  });

  it('names a missing table, and the remedy', async () => {
    expect(await refusal()).toMatch(
      /table: the schema of tasks does not match .*: table tasks is missing.*Run the migrations/,
    );
  });

  it('names a missing column', async () => {
    await runTaskMigrations(dataSource);
    await dataSource.query('ALTER TABLE tasks DROP COLUMN worker_id');
    expect(await refusal()).toContain('column worker_id is missing');
  });

  it('names missing indexes', async () => {
    await runTaskMigrations(dataSource);
    const dropped =
      engine === 'mysql'
        ? [
            'tasks_owner ON tasks',
            'tasks_due ON tasks',
            'tasks_ready_group ON tasks_ready',
            'tasks_keys_expires ON tasks_keys',
          ]
        : ['tasks_owner', 'tasks_due', 'tasks_ready', 'tasks_ready_group', 'tasks_keys_expires'];
    for (const index of ['due', 'task', 'list', 'end'])
      dropped.push(`tasks_callbacks_${index}${engine === 'mysql' ? ' ON tasks_callbacks' : ''}`);
    for (const index of dropped) await dataSource.query(`DROP INDEX ${index}`);
    const message = await refusal();
    for (const index of dropped) expect(message).toContain(`index ${index.split(' ')[0]} is missing`);
  });

  it('finds a schema that was made for other integers, and brings it to those asked for', async () => {
    await runTaskMigrations(dataSource, { status: { ...TASK_STATUS, BEGIN: 11 } });
    const message = await refusal();
    const culprit = engine === 'mysql' ? 'trigger tasks_ready_insert' : 'index tasks_ready';
    expect(message).toContain(`${culprit} is different from what the options require`);
    await runTaskMigrations(dataSource);
    expect(await refusal()).toBe('started');
    await runTaskMigrations(dataSource, { status: { ...TASK_STATUS, WAITING: 6 } });
    const due = engine === 'mysql' ? 'trigger tasks_due_update' : 'index tasks_due';
    expect(await refusal()).toContain(`${due} is different from what the options require`);
    await runTaskMigrations(dataSource);
    expect(await refusal()).toBe('started');
  });

  it.each([
    ['tasks_keys', 'idempotency keys'],
    ['tasks_callbacks', 'callbacks'],
    ['tasks_metrics', 'metrics'],
    ['tasks_attempts', 'failed attempts'],
  ])('names a missing table %s, makes it again, and refuses one that is not its own', async (table, holds) => {
    await runTaskMigrations(dataSource);
    await dataSource.query(`DROP TABLE ${table}`);
    expect(await refusal()).toContain(`table ${table} is missing`);
    await dataSource.query(`CREATE TABLE ${table} (id integer)`);
    await expect(runTaskMigrations(dataSource)).rejects.toThrow(
      `\`${table}\` exists and is not the queue's table of ${holds}: it has no column`,
    );
    await dataSource.query(`DROP TABLE ${table}`);
    await runTaskMigrations(dataSource);
    expect(await refusal()).toBe('started');
  });

  it('refuses a database that is newer than the code, migrating or not', async () => {
    await runTaskMigrations(dataSource);
    const add = (name: string) =>
      dataSource.query(`INSERT INTO migrations (timestamp, name) VALUES (1999999999999, '${name}')`);
    await add('SoftddTask_tasks_old_Future1999999999999');
    await add('HostsOwn1999999999999');
    expect(await refusal()).toBe('started');
    await add('SoftddTask_tasks_Future1999999999999');
    for (const migrate of [true, false])
      await expect(openQueue(dataSource, { migrate })).rejects.toThrow(
        /newer than this release of @softdd\/task: it has migration SoftddTask_tasks_Future1999999999999/,
      );
    await expect(runTaskMigrations(dataSource)).rejects.toThrow(NewerSchemaError);
  });

  it('takes the engine for what it is, SKIP LOCKED included', async () => {
    await runTaskMigrations(dataSource);
    const runner = dataSource.createQueryRunner();
    expect(await engineProblem(dataSource, runner).finally(() => runner.release())).toBeUndefined();
    expect(await skipLockedProblem(dataSource, 'SELECT name FROM migrations')).toBeUndefined();
    // Without a lock both connections see the row, as on an engine that ignores SKIP LOCKED.
    if (engine !== 'sqlite')
      expect(await skipLockedProblem(dataSource, 'SELECT 1 AS a FROM (SELECT 1 AS a) nothing -- ')).toMatch(
        /accepts SKIP LOCKED and ignores it/,
      );
  });

  if (engine !== 'sqlite')
    it('refuses a pool of one connection, rather than wait for a second for ever', async () => {
      await runTaskMigrations(dataSource);
      const narrow = await connect(database, { poolSize: 1 });
      await expect(openQueue(narrow)).rejects.toThrow(/pool has one connection.* set poolSize to 2 or more/);
      await narrow.destroy();
    });

  if (engine === 'mysql') {
    it('names missing and other triggers, and says that they may be hidden', async () => {
      await runTaskMigrations(dataSource);
      await dataSource.query('DROP TRIGGER tasks_ready_delete');
      expect(await refusal()).toContain('trigger tasks_ready_delete is missing;');
      await dataSource.query('CREATE TRIGGER tasks_ready_delete AFTER DELETE ON tasks FOR EACH ROW SET @a = 1');
      expect(await refusal()).toContain('trigger tasks_ready_delete is different from what the options require');
      for (const name of ['ready_insert', 'ready_update', 'ready_delete', 'due_insert', 'due_update'])
        await dataSource.query(`DROP TRIGGER tasks_${name}`);
      expect(await refusal()).toContain('missing, or hidden from this user, which needs the TRIGGER privilege');
    });

    it('refuses a connection that loses characters', async () => {
      const latin = await connect(database, { charset: 'latin1' } as Partial<DataSourceOptions>);
      await expect(openQueue(latin)).rejects.toThrow(/uses charset latin1, .* set charset: 'utf8mb4'/);
      await latin.destroy();
    });
  }
});

describe('an engine that is not supported', () => {
  it('is refused by its name', async () => {
    const dataSource = new DataSource({
      type: 'cockroachdb',
      url: 'postgres://nobody@127.0.0.1:1/none',
      timeTravelQueries: false,
    });
    await expect(engineProblem(dataSource, dataSource.createQueryRunner())).resolves.toMatch(
      /TypeORM type 'cockroachdb' is not supported; use MySQL 8.0.17\+, MariaDB 10.6\+, PostgreSQL 13\+ or SQLite 3.38\+/,
    );
  });
});

describe('one SQLite file', () => {
  const servers: RunningServer[] = [];
  afterAll(async () => {
    for (const server of servers) if (server.process.exitCode === null) await server.stop('SIGKILL');
  });
  const start = async (url: string): Promise<void> => {
    servers.push(await startServer({ DATABASE_URL: url }));
  };

  // Three servers: in `npm run test:all`. test/e2e/operators/first-start.test.ts starts a second one, too.
  itInWhole('serves one server process at a time, and the next one after kill -9', async () => {
    const database = await createDatabase('sqlite');
    await start(database.url);
    await expect(start(database.url)).rejects.toThrow(/Another server process uses the SQLite file .*\.sqlite/);
    await servers[0]!.stop('SIGKILL');
    await start(database.url);
    await servers[1]!.stop('SIGKILL');
    await database.drop();
  });

  it('is given back when a queue closes', async () => {
    const database = await createDatabase('sqlite');
    const [first, second] = [await connect(database), await connect(database)];
    await withQueue(first, {}, async () => expect(openQueue(second)).rejects.toThrow(/SQLite serves one process/));
    await withQueue(second, {}, async ({ service }) => expect(await service.claim()).toEqual([]));
    await Promise.all([first.destroy(), second.destroy()]);
    await database.drop();
  });
});
