import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, describeOn } from '../support/databases.js';
import { call } from '../support/http.js';
import { hasPgbouncer } from '../support/machine.js';
import { freePort } from '../support/free-port.js';
import { accountOf, listens } from '../support/private-servers.js';
import { startServer } from '../support/server.js';

const SECRET = 'a-secret-of-thirty-two-characters-or-more';
const WORKER = 'worker-token-0123456789';
const SERVERS = 6;

/** PgBouncer in transaction mode before the tests' PostgreSQL; answers its URL and how to end it. */
async function pooler(url: string): Promise<{ url: string; drop(): void }> {
  const target = new URL(url);
  const name = target.pathname.slice(1);
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-pgbouncer-'));
  const port = await freePort();
  const host = `host=${target.hostname} port=${target.port || 5432} user=${target.username || 'postgres'}`;
  writeFileSync(join(folder, 'users.txt'), `"${target.username || 'postgres'}" "${target.password}"\n`);
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
${name} = ${host} dbname=${name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
auth_file = ${folder}/users.txt
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
`,
  );
  // It refuses to run as root.
  const who = accountOf('postgres');
  if (who.uid !== undefined)
    for (const file of ['', 'pgbouncer.ini', 'users.txt']) chownSync(join(folder, file), who.uid, who.gid!);
  const child: ChildProcess = spawn('pgbouncer', [join(folder, 'pgbouncer.ini')], { ...who, stdio: 'ignore' });
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error('pgbouncer ended at its start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url: `postgres://${target.username || 'postgres'}@127.0.0.1:${port}/${name}`,
    drop: () => (child.kill('SIGKILL'), rmSync(folder, { recursive: true, force: true })),
  };
}

describeOn('postgres')('PgBouncer in transaction mode, before %s', () => {
  (hasPgbouncer() ? it : it.skip)(
    'six servers at once migrate an empty database, work, and start again',
    async () => {
      const database = await createDatabase('postgres');
      const { url, drop } = await pooler(database.url);
      const direct = await new DataSource({ type: 'postgres', url: database.url } as DataSourceOptions).initialize();
      try {
        const environment = { DATABASE_URL: url, TASK_WORKER_TOKENS: WORKER, TASK_JWT_SECRET: SECRET };
        const start = () => Promise.all(Array.from({ length: SERVERS }, () => startServer(environment)));
        for (let round = 1; round <= 2; round++) {
          const servers = await start();
          const [ledger] = await direct.query(
            'SELECT COUNT(*) AS n, COUNT(DISTINCT name) AS names FROM task_migrations',
          );
          expect([ledger.n, Number(ledger.n) > 0]).toEqual([ledger.names, true]);
          // Of this database: others' servers may be migrating theirs.
          const locks = `SELECT * FROM pg_locks JOIN pg_database ON pg_database.oid = database
            WHERE datname = current_database() AND locktype = 'advisory'`;
          expect(await direct.query(locks)).toEqual([]);
          const token = await userToken(SECRET, 'alice');
          for (const server of servers) {
            const as = (bearer: string, method: string, path: string, json?: unknown) =>
              call(method, server.url + path, {
                headers: { authorization: `Bearer ${bearer}` },
                ...(json ? { json } : {}),
              });
            const created = await as(token, 'POST', '/api/tasks', { input: 'in', status: 10 });
            expect([created.status, created.text]).toEqual([200, expect.stringContaining('taskId')]);
            const claimed = await as(WORKER, 'GET', '/api/crontask?lease=60');
            const { task, leaseToken } = claimed.body.data;
            const ended = await as(WORKER, 'PUT', `/api/crontask/${task.taskId}`, {
              status: 30,
              output: 'out',
              leaseToken,
            });
            expect([ended.status, ended.text]).toEqual([200, expect.anything()]);
          }
          expect(await direct.query('SELECT COUNT(*)::int AS n FROM tasks WHERE status = 30')).toEqual([
            { n: round * SERVERS },
          ]);
          // Half of them die in the midst of their work.
          await Promise.all(servers.map((server, index) => server.stop(index % 2 ? 'SIGKILL' : 'SIGTERM')));
        }
      } finally {
        await direct.destroy();
        drop();
        await database.drop();
      }
    },
    240_000,
  );
});
