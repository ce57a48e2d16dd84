import { expect } from '@jest/globals';
import { DataSource } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { itAtOnceOn } from '../support/databases.js';
import { type Answer, call, type CallOptions } from '../support/http.js';
import { hasServer, PrivateDatabase } from '../support/private-servers.js';
import { until } from '../support/until.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';

/** Times that the database is killed and started again. */
const ROUNDS = Number(process.env.TEST_CHAOS_OUTAGES ?? 3);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Cuts every connection but its own. */
async function cutConnections(dataSource: DataSource): Promise<void> {
  if (dataSource.options.type === 'postgres') {
    await dataSource.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
    );
    return;
  }
  const rows = await dataSource.query<{ id: number }[]>(
    'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()',
  );
  for (const { id } of rows) await dataSource.query(`KILL ${id}`).catch(() => undefined);
}

itAtOnceOn(['mysql', 'postgres'], hasServer)(
  'a %s that is killed and comes back, and cuts connections: the server recovers by itself, clients see 503 in between, and nothing answered is lost',
  async (engine) => {
    const database = await PrivateDatabase.create(engine);
    const cluster = await Cluster.start(database.url, [{}]);
    const connect = () => new DataSource(database.options()).initialize();
    const user = await userToken(SECRET, 'alice');
    const created = new Set<string>();
    const finished = new Set<string>();
    const seen = new Map<number, number>();
    const strange: unknown[] = [];
    let working = true;

    const send = async (token: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
      const headers = { authorization: `Bearer ${token}`, ...options.headers };
      const answer = await call(method, cluster.urls[0]! + path, { ...options, headers });
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      const retryAfter = answer.headers.get('retry-after');
      if (answer.status >= 500 && (answer.status !== 503 || !retryAfter)) strange.push([path, answer.text]);
      if (answer.status !== 200) await pause(20);
      return answer;
    };
    const create = async (): Promise<void> => {
      while (working) {
        const answer = await send(user, 'POST', '/api/tasks', { json: { input: 'in', status: 10 } });
        if (answer.status === 200) created.add(answer.body.data.taskId);
      }
    };
    const work = async (): Promise<void> => {
      while (working) {
        const claim = await send(WORKER, 'GET', '/api/crontask', { query: { lease: 60, wait: 1 } });
        if (claim.status !== 200 || !claim.body.data.task) continue;
        const { task, leaseToken } = claim.body.data;
        for (;;) {
          const json = { status: 30, output: leaseToken, leaseToken };
          const report = await send(WORKER, 'PUT', `/api/crontask/${task.taskId}`, { json });
          if (report.status === 200) finished.add(task.taskId);
          // A claim whose commit was in doubt is not ours, and lapses by itself.
          if (report.status !== 503) break;
        }
      }
    };
    const everybody = [create(), create(), work(), work(), work()];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await pause(1000);
        const cutter = await connect();
        for (let cut = 0; cut < 3; cut++) {
          await cutConnections(cutter);
          await pause(150);
        }
        await cutter.destroy();
        await database.kill();
        await pause(700);
        await database.start();
        const before = created.size + finished.size;
        await until('it works again', () => created.size + finished.size > before + 5);
      }
      working = false;
      await Promise.all(everybody);

      expect(strange.length > 0 ? [strange, cluster.failures] : []).toEqual([]);
      expect(seen.get(503)).toBeGreaterThan(0);
      expect([...seen.keys()].filter((status) => ![200, 503, 409].includes(status))).toEqual([]);
      const dataSource = await connect();
      const rows = await dataSource.query<{ id: string; status: number }[]>('SELECT id, status FROM tasks');
      await dataSource.destroy();
      const statuses = new Map(rows.map((row) => [row.id, Number(row.status)]));
      expect([...created].filter((id) => !statuses.has(id))).toEqual([]);
      expect([...finished].filter((id) => statuses.get(id) !== 30)).toEqual([]);
      process.stdout.write(
        `  outage on ${engine}: ${created.size} created, ${finished.size} finished, answers ${JSON.stringify([...seen])}\n`,
      );
    } finally {
      working = false;
      await Promise.allSettled(everybody);
      await cluster.stop();
      await database.drop();
    }
  },
  120_000 + ROUNDS * 40_000,
);
