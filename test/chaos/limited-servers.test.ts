import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { Task } from '../../src/index.js';
import { problemsOf, withQueue } from '../unit/schema/fixtures/queue.js';
import type { TestDatabase } from '../support/databases.js';
import { type Host, startHost } from '../support/host.js';
import { hasServer, PrivateDatabase } from '../support/private-servers.js';

/** Of one account at once. */
const CONNECTIONS = 8;

(hasServer('mysql') ? describe : describe.skip)('a MariaDB server with limits', () => {
  let server: PrivateDatabase;
  let host: Host | undefined;
  beforeAll(async () => {
    server = await PrivateDatabase.create('mysql', ['--innodb-default-row-format=compact']);
  }, 60_000);
  afterAll(async () => {
    await server?.drop();
  });

  async function administer(...statements: string[]): Promise<void> {
    const connection = await createConnection(server.url);
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  }
  const as = (account: string): TestDatabase => {
    const url = server.url.replace('root@', `${account}:secret@`);
    return {
      engine: 'mysql',
      url,
      options: () => ({ type: 'mariadb', url, charset: 'utf8mb4', timezone: 'Z', poolSize: 8 }),
      drop: () => Promise.resolve(),
    };
  };
  const start = async (account: string): Promise<Host> =>
    (host = await startHost({ engine: 'mysql', adapter: 'express', database: as(account), nest: { logger: false } }));

  it('makes its tables though rows are compact by default, for an account that has TRIGGER through a role', async () => {
    await administer(
      'CREATE ROLE maker',
      'GRANT ALL ON app.* TO maker',
      "CREATE USER through@'%' IDENTIFIED BY 'secret'",
      'GRANT maker TO through',
      'SET DEFAULT ROLE maker FOR through',
    );
    const dataSource = await new DataSource({
      ...as('through').options(),
      entities: [Task],
    } as DataSourceOptions).initialize();
    try {
      await withQueue(dataSource, {}, async ({ service }) => {
        await service.create({ userId: 'alice', input: 'in', status: 10 });
        expect(await service.claim()).toHaveLength(1);
      });
      // The second start judges the triggers that it sees.
      await withQueue(dataSource, {}, () => Promise.resolve());
      expect(await problemsOf(dataSource)).toEqual([]);
      // MariaDB gives a trigger none of its definer's roles: others' writes would fail.
      await administer(
        "INSERT INTO tasks (id, user_id, service, input, status) VALUES (UUID(), 'bob', 'php', 'in', 10)",
      );
    } finally {
      await dataSource.destroy();
    }
  }, 60_000);

  it('answers 503 where the account has no more connections, and goes on afterwards', async () => {
    await administer(
      "CREATE USER few@'%' IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS " + CONNECTIONS,
      'GRANT ALL ON app.* TO few',
    );
    await start('few');
    const others: Connection[] = [];
    const admin = await createConnection(server.url);
    try {
      // Somebody else uses the account, and the queue's own connections end.
      while (others.length < CONNECTIONS)
        try {
          others.push(await createConnection(as('few').url));
        } catch {
          const kept = [0, ...others.map((other) => other.threadId)].join();
          const [rows] = await admin.query<RowDataPacket[]>(
            `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = 'few' AND ID NOT IN (${kept})`,
          );
          for (const { id } of rows) await admin.query(`KILL ${id}`).catch(() => undefined);
        }
      const { status, headers } = await host!.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } });
      expect([status, headers.get('retry-after')]).toEqual([503, expect.anything()]);
      for (const other of others.splice(0)) await other.end();
      const answers = await Promise.all(
        Array.from({ length: 40 }, () => host!.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } })),
      );
      for (const answer of answers) expect([200, 503]).toContain(answer.status);
      expect((await host!.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } })).status).toBe(200);
    } finally {
      for (const other of [...others, admin]) other.destroy();
      await host!.close();
    }
  }, 60_000);

  it('answers 503 where an administrator ends a statement, and keeps nothing of it', async () => {
    await administer("CREATE USER slow@'%' IDENTIFIED BY 'secret'", 'GRANT ALL ON app.* TO slow');
    await start('slow');
    const locker = await createConnection(server.url);
    try {
      const { status, body } = await host!.user('alice', 'POST', '/api/tasks', { json: { input: 'before' } });
      expect(status).toBe(200);
      await locker.beginTransaction();
      await locker.query(`SELECT id FROM app.tasks WHERE id = '${body.data.taskId}' FOR UPDATE`);
      const waits = host!.user('alice', 'PUT', `/api/tasks/${body.data.taskId}`, { json: { status: -20 } });
      let answer: Awaited<typeof waits> | undefined;
      void waits.then((come) => (answer = come));
      while (!answer) {
        // Whatever waits of it, whenever it tries again.
        await administer("KILL QUERY USER 'slow'");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.anything()]);
      await locker.rollback();
      expect((await host!.user('alice', 'GET', `/api/tasks/${body.data.taskId}`)).body.data.status).toBe(0);
      expect(
        (await host!.user('alice', 'PUT', `/api/tasks/${body.data.taskId}`, { json: { status: -20 } })).status,
      ).toBe(200);
    } finally {
      await locker.end();
      await host!.close();
    }
  }, 60_000);
});
