import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES } from '../support/databases.js';
import { built, newFolder } from '../support/server.js';
import { Cluster, SECRET, WORKER } from './fixtures/cluster.js';
import { type Change, concurrency, excess, readLog, startLog } from './fixtures/flow-log.js';

/** Seconds of storm, and seconds that all tasks have to end afterwards. */
const SECONDS = Number(process.env.TEST_CHAOS_FLOW_SECONDS ?? 6);
const PATIENCE = 120 + SECONDS * 2;

const RATE = { max: 10, per: 1, burst: 5 };
const SETTINGS: Record<string, object> = {
  one: { maxRunning: 1 },
  three: { maxRunning: 3 },
  api: { rate: RATE },
  free: {},
};

interface Verdict {
  limit: number;
  most: number;
  over: number;
}

/** What must hold of the log of a service. A further limit is one more line. */
const LAWS: Record<string, (log: Change[]) => Verdict> = {
  one: (log) => ({ limit: 1, ...concurrency(log, 1) }),
  three: (log) => ({ limit: 3, ...concurrency(log, 3) }),
  api: (log) => {
    const most = excess(log, RATE);
    // The rows say milliseconds.
    return { limit: 0, most: Math.round(most * 1000) / 1000, over: most > 0.011 ? 1 : 0 };
  },
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

describe.each(ENGINES)('limits and rates in a storm on %s', (engine) => {
  it(
    'hold at every instant, meet no deadlock, and let every task end',
    async () => {
      const database = await createDatabase(engine);
      const folder = newFolder();
      const [log, calm] = [join(folder, 'deadlocks.jsonl'), join(folder, 'calm')];
      const pauses = pathToFileURL(resolve(import.meta.dirname, 'fixtures/pauses.mjs')).href;
      const environment = {
        TASK_SERVICES: JSON.stringify(SETTINGS),
        TASK_MAX_ATTEMPTS: '1000',
        NODE_OPTIONS: `--import=${pauses}`,
        FLOW_PAUSES: JSON.stringify({ dist: built(''), log, longest: 12 }),
      };
      const processes = engine === 'sqlite' ? 1 : 4;
      const cluster = await Cluster.start(
        database.url,
        Array.from({ length: processes }, () => environment),
      );
      const sql = await new DataSource({ ...database.options(), migrationsTableName: 'test' }).initialize();
      if (engine === 'sqlite') await sql.query('PRAGMA busy_timeout = 10000');
      await startLog(sql, engine);
      const user = await userToken(SECRET, 'alice');
      const json = Object.keys(SETTINGS).flatMap((service) =>
        Array.from({ length: SECONDS * { one: 4, three: 8, api: 9, free: 10 }[service]! }, () => ({
          input: 'x',
          status: 10,
          service,
        })),
      );
      for (let from = 0; from < json.length; from += 500) {
        const tasks = { json: json.slice(from, from + 500) };
        expect((await cluster.request('POST', '/api/tasks', user, tasks)).status).toBe(200);
      }

      const workers: ChildProcess[] = [];
      const work = (place: number): void => {
        const services = Object.keys(SETTINGS);
        const settings = { urls: cluster.urls, token: WORKER, calm, services, lanes: 2 };
        const file = resolve(import.meta.dirname, 'fixtures/flow-worker.mjs');
        workers[place] = spawn(process.execPath, [file, JSON.stringify(settings)], { stdio: 'inherit' });
      };
      for (let place = 0; place < 4; place++) work(place);
      let killed = 0;
      const errors: string[] = [];
      const run = (text: string): Promise<any> =>
        sql.query(text).catch((error: unknown) => void errors.push(String(error)));
      const idsOf = async (statuses: string): Promise<string[]> =>
        ((await run(`SELECT id FROM tasks WHERE status IN (${statuses})`)) ?? []).map(({ id }: any) => id);
      const end = Date.now() + SECONDS * 1000;
      const every = async (ms: number, act: () => Promise<unknown>): Promise<void> => {
        while (Date.now() < end) {
          await pause(ms * (0.5 + Math.random()));
          await act();
        }
      };
      await Promise.all([
        every(700, async () => {
          const place = Math.floor(Math.random() * workers.length);
          workers[place]!.kill('SIGKILL');
          work(place);
          killed += 1;
        }),
        every(2500, async () => {
          await cluster.killOne();
          killed += 1;
        }),
        // As plain SQL ends tasks that run, and makes ended ones ready again.
        every(150, async () => {
          const id = any(await idsOf('20'));
          if (id) await run(`UPDATE tasks SET status = ${any([30, 10, -20])} WHERE id = '${id}' AND status = 20`);
        }),
        every(60, async () => {
          const id = any(await idsOf('-10, -20'));
          if (id) await run(`UPDATE tasks SET status = 10 WHERE id = '${id}' AND status IN (-10, -20)`);
        }),
        // As users cancel, and run again.
        every(150, async () => {
          const id = any(await idsOf('10, 20'));
          if (id) await cluster.request('PUT', `/api/tasks/${id}`, user, { json: { status: -20 } });
        }),
        every(150, async () => {
          const id = any(await idsOf('-10, -20, 30'));
          if (id) await cluster.request('PUT', `/api/tasks/${id}`, user, { json: { status: 10 } });
        }),
      ]);
      writeFileSync(calm, '');
      const deadline = Date.now() + PATIENCE * 1000;
      const left = async (): Promise<string[]> => idsOf('0, 5, 10, 20');
      while ((await left()).length > 0 && Date.now() < deadline) await pause(250);
      expect(await left()).toEqual([]);
      for (const worker of workers) worker.kill('SIGKILL');

      const changes = await readLog(sql, engine);
      const deadlocks = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
      const found = Object.fromEntries(
        Object.entries(LAWS).map(([service, law]) => [
          service,
          law(changes.filter((each) => each.service === service)),
        ]),
      );
      const starts = changes.filter(({ step }) => step === 1).length;
      process.stdout.write(
        `  ${engine}: ${json.length} tasks, ${starts} starts, ${changes.length} changes, ${killed} killed, ` +
          `${deadlocks.length} deadlocks, ${errors.length} errors of plain SQL, ${JSON.stringify(found)}\n`,
      );
      expect(Object.entries(found).filter(([, { over }]) => over > 0)).toEqual([]);
      expect(starts).toBeGreaterThan(json.length / 2);
      expect([deadlocks, errors]).toEqual([[], []]);
      await cluster.stop();
      await sql.destroy();
      await database.drop();
    },
    (SECONDS + PATIENCE + 60) * 1000,
  );
});
