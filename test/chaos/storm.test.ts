import { describe, expect, it } from '@jest/globals';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES } from '../support/databases.js';
import { call } from '../support/http.js';
import { newFolder, type RunningServer, startServer } from '../support/server.js';

/** Seconds of storm an engine. */
const SECONDS = Number(process.env.TEST_CHAOS_SECONDS ?? 12);
const WORKER = 'storm-worker-token-0123456789';
const SECRET = 'storm-secret-storm-secret-storm-secret';

/** Servers on one database that are killed and come back; a request goes to any that lives. */
class Cluster {
  private readonly servers: (RunningServer | undefined)[] = [];
  constructor(
    private readonly databaseUrl: string,
    private readonly size: number,
  ) {}

  async start(): Promise<void> {
    for (let index = 0; index < this.size; index++) await this.restart(index);
  }

  async killOne(): Promise<void> {
    const index = Math.floor(Math.random() * this.size);
    const server = this.servers[index];
    this.servers[index] = undefined;
    await server?.stop('SIGKILL');
    await this.restart(index);
  }

  async stop(): Promise<(number | NodeJS.Signals)[]> {
    return Promise.all(this.servers.map((server) => server!.stop()));
  }

  /** An answer, or undefined where the connection was cut: then nobody knows whether it happened. */
  async request(method: string, path: string, token: string, form?: Record<string, string>) {
    const alive = this.servers.filter((server) => server !== undefined);
    const server = alive[Math.floor(Math.random() * alive.length)];
    if (!server) return undefined;
    const headers = { authorization: `Bearer ${token}` };
    return call(method, server.url + path, { headers, ...(form ? { form } : {}) }).catch(() => undefined);
  }

  private async restart(index: number): Promise<void> {
    this.servers[index] = await startServer(
      { DATABASE_URL: this.databaseUrl, TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER },
      newFolder(),
    );
  }
}

describe.each(ENGINES)('servers killed with kill -9 in the middle of the work, on %s', (engine) => {
  it(
    'lose nothing that was answered, and hand no task out twice',
    async () => {
      const database = await createDatabase(engine);
      const cluster = new Cluster(database.url, engine === 'sqlite' ? 1 : 2);
      await cluster.start();
      const user = await userToken(SECRET, 'alice');
      const deadline = Date.now() + SECONDS * 1000;
      const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
      const created = new Set<string>();
      const claimed: string[] = [];
      const finished = new Set<string>();
      const strange: number[] = [];

      const note = (answer: { status: number } | undefined) => {
        // A server that drains or starts may say 503; anything else over 499 is a fault.
        if (answer && answer.status >= 500 && answer.status !== 503) strange.push(answer.status);
        return answer?.status === 200;
      };
      const create = async () => {
        while (Date.now() < deadline) {
          const answer = await cluster.request('POST', '/api/tasks', user, { input: 'x', status: '10' });
          if (note(answer)) created.add(answer!.body.data.taskId);
          else await pause();
        }
      };
      const work = async (until: () => boolean) => {
        while (!until()) {
          const answer = await cluster.request('GET', '/api/crontask', WORKER);
          const taskId = note(answer) ? answer!.body.data.task?.taskId : undefined;
          if (!taskId) {
            await pause();
            continue;
          }
          claimed.push(taskId);
          for (;;) {
            const report = await cluster.request('PUT', `/api/crontask/${taskId}`, WORKER, {
              status: '30',
              output: 'y',
            });
            if (note(report)) break;
            await pause();
          }
          finished.add(taskId);
        }
      };
      const kill = async () => {
        while (Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 1200));
          await cluster.killOne();
        }
      };
      await Promise.all([
        create(),
        create(),
        ...Array.from({ length: 8 }, () => work(() => Date.now() > deadline)),
        kill(),
      ]);

      const lookUp = async (taskId: string): Promise<number> => {
        const answer = await cluster.request('GET', `/api/tasks/${taskId}`, user);
        return answer!.body.data.status;
      };
      const statuses = new Map<string, number>();
      for (const taskId of created) statuses.set(taskId, await lookUp(taskId));
      expect(strange).toEqual([]);
      expect(created.size).toBeGreaterThan(50);
      expect(new Set(claimed).size).toBe(claimed.length);
      expect([...finished].filter((taskId) => statuses.has(taskId) && statuses.get(taskId) !== 30)).toEqual([]);
      expect([...statuses].filter(([, status]) => ![10, 20, 30].includes(status))).toEqual([]);
      // What is still ready can be claimed: nothing hangs between the states.
      let drained = false;
      const rest = Array.from({ length: 4 }, () => work(() => drained));
      while ([...statuses.values()].includes(10)) {
        for (const [taskId, status] of statuses) if (status === 10) statuses.set(taskId, await lookUp(taskId));
        await pause();
      }
      drained = true;
      await Promise.all(rest);
      expect(new Set(claimed).size).toBe(claimed.length);
      expect(await cluster.stop()).toEqual(engine === 'sqlite' ? [0] : [0, 0]);
      await database.drop();
    },
    (SECONDS + 120) * 1000,
  );
});
