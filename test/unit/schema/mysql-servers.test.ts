import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runTaskMigrations } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { administer, createDatabase, describeOn, type TestDatabase } from '../../support/databases.js';
import { createOriginal, insertLikePhp, ROWS } from './fixtures/original.js';
import { claimAll, connect, openQueue, problemsOf } from './fixtures/queue.js';

const PHP = { ...ROWS[0]!, id: '10000000-bbfd-4b2d-9b5d-ab8dfbbd4bed', input: 'by PHP' };

describeOn('mysql')('the narrow table of ready tasks on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeEach(async () => {
    database = await createDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource);
  });
  afterEach(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await database?.drop();
  });

  const create = (input: string, values = {}) =>
    queue.service.create({ userId: 'alice', input, status: 10, ...values }).then((task) => task.taskId);
  const readyCount = async (): Promise<number> => {
    const [row] = await dataSource.query<{ n: unknown }[]>('SELECT COUNT(*) AS n FROM tasks_ready');
    return Number(row!.n);
  };

  it('follows raw SQL: made ready, undone, moved, deleted', async () => {
    const id = await create('draft', { status: 0 });
    await dataSource.query(`UPDATE tasks SET status = 10 WHERE id = '${id}'`);
    expect(await readyCount()).toBe(1);
    await dataSource.query(`UPDATE tasks SET status = 0 WHERE id = '${id}'`);
    expect(await queue.service.claim()).toEqual([]);
    await dataSource.query(
      `UPDATE tasks SET status = 10, service = 'other', \`group\` = 'g', priority = -3 WHERE id = '${id}'`,
    );
    expect(await queue.service.claim({ service: 'default' })).toEqual([]);
    expect((await queue.service.claim({ service: 'other', group: 'g' }))[0]?.taskId).toBe(id);
    await dataSource.query(`DELETE FROM tasks WHERE id = '${await create('gone')}'`);
    expect(await readyCount()).toBe(0);
  });

  it('loses orphans to the claim that meets them, however many hide a real task', async () => {
    const drafts = Array.from({ length: 300 }, (_, index) => ({ ...PHP, id: `${index}`.padStart(36, '0') }));
    for (const draft of drafts) await insertLikePhp(dataSource, engine, draft);
    await dataSource.query('TRUNCATE tasks');
    expect(await readyCount()).toBe(300);
    const id = await create('real');
    expect((await queue.service.claim())[0]?.taskId).toBe(id);
    expect(await readyCount()).toBe(0);
  });

  it('takes rows again that were loaded after TRUNCATE', async () => {
    await insertLikePhp(dataSource, engine, PHP);
    await dataSource.query('TRUNCATE tasks');
    await insertLikePhp(dataSource, engine, PHP);
    expect(await claimAll(queue)).toEqual(['by PHP']);
  });

  it('loses what a foreign key took along', async () => {
    await dataSource.query(
      `CREATE TABLE owners (id varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY)`,
    );
    await dataSource.query('ALTER TABLE owners MODIFY id ' + (await userIdType()));
    await dataSource.query(`INSERT INTO owners VALUES ('alice'), ('bob')`);
    await dataSource.query('ALTER TABLE tasks ADD FOREIGN KEY (user_id) REFERENCES owners (id) ON DELETE CASCADE');
    await create('of alice');
    await create('of bob', { userId: 'bob' });
    await dataSource.query(`DELETE FROM owners WHERE id = 'alice'`);
    expect(await claimAll(queue)).toEqual(['of bob']);
    expect(await readyCount()).toBe(0);
  });

  async function userIdType(): Promise<string> {
    const [row] = await dataSource.query<{ collation: string }[]>(
      `SELECT COLLATION_NAME AS collation FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'tasks' AND COLUMN_NAME = 'user_id'`,
    );
    return `varchar(255) CHARACTER SET utf8mb4 COLLATE ${row!.collation} NOT NULL`;
  }

  it('passes over a task that somebody holds, without waiting, and keeps it', async () => {
    const held = await create('held');
    const free = await create('free');
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`SELECT id FROM tasks WHERE id = '${held}' FOR UPDATE`);
    // Were it to wait, it would wait for the rollback below, and the test would never end.
    expect((await queue.service.claim())[0]?.taskId).toBe(free);
    expect(await queue.service.claim()).toEqual([]);
    await runner.rollbackTransaction();
    await runner.release();
    expect((await queue.service.claim())[0]?.taskId).toBe(held);
  });

  it('never deadlocks plain SQL that locks the task first', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 60; index++) ids.push(await create(`task ${index}`, { group: index % 2 ? 'g' : 'h' }));
    const failures: unknown[] = [];
    /** As a host cancels: the row first, what its triggers touch after it. */
    const cancel = (id: string, status: number) =>
      dataSource
        .transaction('REPEATABLE READ', async (manager) => {
          await manager.query('SELECT status FROM tasks WHERE id = ? FOR UPDATE', [id]);
          await manager.query('UPDATE tasks SET status = ? WHERE id = ?', [status, id]);
        })
        .catch((error: unknown) => failures.push(error));
    const insert = (index: number) =>
      insertLikePhp(dataSource, engine, { ...PHP, id: `php-${index}` }).catch((error: unknown) => failures.push(error));
    const operations = Array.from({ length: 200 }, (_, index) => {
      const id = ids[(index * 7) % ids.length]!;
      return [
        () => queue.service.claim({ service: 'default' }),
        () => cancel(id, -20),
        () => queue.service.claim({ service: 'default', group: 'g' }),
        () => cancel(id, 10),
        () => insert(index),
      ][index % 5]!;
    });
    await Promise.all(operations.map((operation) => operation()));
    expect(failures).toEqual([]);
    await claimAll(queue);
    expect(await readyCount()).toBe(0);
    expect(await dataSource.query('SELECT id FROM tasks WHERE status = 10')).toEqual([]);
  });
});

describeOn('mysql')('an account without the trigger privilege on %s', (engine) => {
  it('is told exactly what to grant, and gets on once it is granted', async () => {
    const database = await createDatabase(engine);
    const admin = await connect(database);
    const name = new URL(database.url).pathname.slice(1);
    const account = `'softdd_${process.pid}'@'%'`;
    await createOriginal(admin, engine);
    await administer('mysql', `CREATE USER ${account} IDENTIFIED BY 'secret'`);
    await administer(
      'mysql',
      `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX ON \`${name}\`.* TO ${account}`,
    );
    const url = new URL(database.url);
    [url.username, url.password] = [`softdd_${process.pid}`, 'secret'];
    const login = () => connect({ ...database, options: () => ({ ...database.options(), url: url.href }) as never });
    let dataSource = await login();
    try {
      const message = await runTaskMigrations(dataSource).then(String, (error: Error) => error.message);
      const [, grant] = /As an administrator run (GRANT .*); then migrate again\./.exec(message) ?? [];
      expect(grant).toBe(`GRANT CREATE, ALTER, DROP, INDEX, TRIGGER ON \`${name}\`.* TO ${account}`);
      await administer('mysql', grant!);
      // Connections that are open keep the privileges that they had.
      await dataSource.destroy();
      dataSource = await login();
      await runTaskMigrations(dataSource);
      expect(await problemsOf(dataSource)).toEqual([]);
      const queue = await openQueue(dataSource);
      expect(await claimAll(queue)).toEqual([ROWS[0]!.input, ROWS[1]!.input]);
      await queue.close();
    } finally {
      await Promise.all([dataSource.destroy(), admin.destroy()]);
      await administer('mysql', `DROP USER ${account}`);
      await database.drop();
    }
  });
});
