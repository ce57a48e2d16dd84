import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect } from '@jest/globals';
import { TaskWorker } from '../../src/client/index.js';
import { userToken } from '../../src/server/secrets.js';
import { dataOf } from '../support/answers.js';
import { createDatabase, ENGINES, itAtOnceOn } from '../support/databases.js';
import { call } from '../support/http.js';
import { hasServer, PrivateDatabase } from '../support/private-servers.js';
import { newFolder } from '../support/server.js';
import { until } from '../support/until.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';

const SCRIPT = resolve(import.meta.dirname, 'fixtures/gated_worker.py');
/** Seconds. What is away is so for longer than a lease, the server's grace and what the workers wait for besides. */
const [LEASE, AWAY] = [6, 14];
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Workers of both kinds hold tasks of one attempt while something of ours is away; one of them is dead meanwhile. */
async function outlive(cluster: Cluster, whileAway: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  const folder = newFolder();
  const user = await userToken(SECRET, 'alice');
  const ask = async (token: string, method: string, path: string, json?: object): Promise<any> =>
    dataOf(await call(method, cluster.urls[0]! + path, { json, headers: { authorization: `Bearer ${token}` } }));
  const create = async (service: string, input: string, maxAttempts = 1): Promise<string> =>
    (await ask(user, 'POST', '/api/tasks', { input, service, status: 10, maxAttempts })).taskId;
  const seen = (taskId: string): Promise<any> => ask(user, 'GET', `/api/tasks/${taskId}`);

  const [during, after] = [join(folder, 'during'), join(folder, 'after')];
  const told: unknown[] = [];
  const worker = new TaskWorker({
    baseUrl: cluster.urls[0]!,
    token: WORKER,
    service: 'ts',
    lease: LEASE,
    wait: 1,
    concurrency: 2,
    handler: async ({ task, signal }) => {
      while (!existsSync(task.input)) {
        signal.throwIfAborted();
        await pause(100);
      }
      return 'by TypeScript';
    },
  });
  worker.on('lost', ({ reason }) => told.push(reason));
  const running = worker.run();
  let python: ChildProcess | undefined;
  try {
    python = spawn('python3', [SCRIPT, cluster.urls[0]!, WORKER, 'py', String(LEASE)], { stdio: 'inherit' });
    const ids: string[] = [];
    for (const service of ['ts', 'py']) for (const gate of [during, after]) ids.push(await create(service, gate));
    const dead = await create('dead', 'in', 2);
    await ask(WORKER, 'POST', '/api/crontask', { service: 'dead', lease: LEASE, workerId: 'dead' });
    await until('all are at work', async () =>
      (await Promise.all([...ids, dead].map(seen))).every(({ status }) => status === 20),
    );
    await whileAway(async () => {
      await pause((AWAY * 1000) / 2);
      writeFileSync(during, '');
      await pause((AWAY * 1000) / 2);
    });
    // One whose worker is there goes on for longer than a lease that nobody renews would.
    await until('the dead one is taken back', async () => (await seen(dead).catch(() => ({}))).status === 10);
    await pause(LEASE * 1000);
    writeFileSync(after, '');
    await until('all have ended', async () =>
      (await Promise.all(ids.map(seen))).every(({ finishedAt }) => finishedAt !== null),
    );
    const results = (await Promise.all(ids.map(seen))).map(({ status, output, attempt }) => [status, output, attempt]);
    const [ts, py] = ['by TypeScript', 'by Python'].map((output) => [30, output, 1]);
    expect(results).toEqual([ts, ts, py, py]);
    expect(told).toEqual([]);
    expect(await seen(dead)).toMatchObject({ status: 10, attempt: 1 });
  } finally {
    python?.kill('SIGKILL');
    await worker.close({ timeout: 0 });
    await running;
  }
}

const TITLE = 'fails no task of a worker that is still there, and takes back those of a dead one';
const TIMEOUT = 400_000;

describe('for longer than leases', () => {
  itAtOnceOn(ENGINES)(
    `a server that is killed and away, on %s, ${TITLE}`,
    async (engine) => {
      const database = await createDatabase(engine);
      const cluster = await Cluster.start(database.url, [{}]);
      try {
        await outlive(cluster, (work) => cluster.whileAway(work));
      } finally {
        await cluster.stop();
        await database.drop();
      }
    },
    TIMEOUT,
  );

  itAtOnceOn(['mysql', 'postgres'], hasServer)(
    `a %s that is killed and away ${TITLE}`,
    async (engine) => {
      const database = await PrivateDatabase.create(engine);
      const cluster = await Cluster.start(database.url, [{}]);
      try {
        await outlive(cluster, async (work) => {
          await database.kill();
          await work();
          await database.start();
        });
      } finally {
        await cluster.stop();
        await database.drop();
      }
    },
    TIMEOUT,
  );
});
