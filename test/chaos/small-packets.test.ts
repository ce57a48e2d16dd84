import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { describeOn } from '../support/databases.js';
import { type Host, startHost } from '../support/host.js';
import { hasServer, PrivateDatabase } from '../support/private-servers.js';

const QUOTES = "'".repeat(65_000);
const here = hasServer('mysql');

/** A host on a server of its own whose max_allowed_packet is that small. */
async function start(packet: string): Promise<{ host: Host; server: PrivateDatabase }> {
  const server = await PrivateDatabase.create('mysql', [`--max-allowed-packet=${packet}`]);
  const nest = { logger: false as const };
  return { host: await startHost({ engine: 'mysql', adapter: 'express', database: server, nest }), server };
}

describeOn('mysql')('a server that takes packets of 1 MiB only, on %s', () => {
  let host: Host | undefined;
  let server: PrivateDatabase | undefined;
  beforeAll(async () => {
    if (here) ({ host, server } = await start('1M'));
  });
  afterAll(async () => {
    await host?.close();
    await server?.drop();
  });
  const test = here ? it : it.skip;

  test('creates, lists and ends a list of tasks whose text doubles on its way', async () => {
    const tasks = Array.from({ length: 9 }, () => ({ input: QUOTES, status: 10 }));
    const created = await host!.user('alice', 'POST', '/api/tasks', { json: tasks });
    expect([created.status, created.text.slice(0, 200)]).toEqual([200, expect.anything()]);
    const listed = await host!.user('alice', 'GET', '/api/tasks');
    expect(listed.status).toBe(200);
    const claim = await host!.worker('GET', '/api/crontask', { query: { lease: 60, limit: 9 } });
    expect(claim.status).toBe(200);
    const reports = claim.body.data.list.map((one: { task: { taskId: string }; leaseToken: string }) => ({
      taskId: one.task.taskId,
      leaseToken: one.leaseToken,
      status: 30,
      output: QUOTES,
    }));
    expect(reports).toHaveLength(9);
    const ends = await host!.worker('PUT', '/api/crontask', { json: { reports } });
    expect([ends.status, ends.text.slice(0, 200)]).toEqual([200, expect.anything()]);
    expect(await host!.app.get(DataSource).query('SELECT COUNT(*) AS n FROM tasks WHERE status = 30')).toEqual([
      { n: '9' },
    ]);
  });

  test('lists a row that is larger than a packet', async () => {
    const dataSource = host!.app.get(DataSource);
    await dataSource.query('ALTER TABLE tasks MODIFY output LONGTEXT, MODIFY temp LONGTEXT');
    await dataSource.query("INSERT INTO tasks (id, user_id, service, input) VALUES (UUID(), 'bob', 'default', 'in')");
    for (const column of ['output', 'temp'])
      await dataSource.query(`UPDATE tasks SET ${column} = REPEAT('x', 900000) WHERE user_id = 'bob'`);
    const answer = await host!.user('bob', 'GET', '/api/tasks');
    expect([answer.status, answer.text.length > 1_800_000]).toEqual([200, true]);
  });
});

describeOn('mysql')('a server that takes packets of 64 KiB only, on %s', () => {
  const test = here ? it : it.skip;

  test('takes small tasks, and refuses one that is too large by itself, with a remedy', async () => {
    const { host, server } = await start('64K');
    try {
      const inputs = ['a', QUOTES, 'b', 'x'.repeat(20_000), 'y'.repeat(20_000), 'z'.repeat(20_000), QUOTES];
      const answers = await Promise.all(
        inputs.map((input) => host.user('alice', 'POST', '/api/tasks', { json: { input } })),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 413, 200, 200, 200, 200, 413]);
      expect(answers[1]!.body.data.detail[0].msg).toContain('max_allowed_packet');
      expect(await host.app.get(DataSource).query('SELECT COUNT(*) AS n FROM tasks')).toEqual([{ n: '5' }]);
    } finally {
      await host.close();
      await server.drop();
    }
  });
});
