import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASK_ERRORS } from '../../src/index.js';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { type Answer, call, type CallOptions } from '../support/http.js';
import { type RunningServer, startServer } from '../support/server.js';
import { until } from '../support/until.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const WORKER = 'a-worker-token-of-ours';
const TASKS = 255;
/** Six bytes for each of them, as JSON. */
const TEXT = '\u0001'.repeat(65_535);
/** Bytes of the largest answer, and what an envelope and its headers add. */
const LARGEST = 8 * 1024 * 1024 + 16 * 1024;
/** Lists, claims and reports, each so many at once. */
const AT_ONCE = 12;
/** Mebibytes that the process may have at its worst; its heap is 256 of them. */
const MOST_MEMORY = 700;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));

interface Listed {
  list: { taskId: string }[];
  nextCursor: string | null;
}
interface Claimed {
  taskId: string;
  leaseToken: string;
}

describe.each(ENGINES)('large answers of a server with a small heap, on %s', (engine) => {
  let database: TestDatabase;
  let server: RunningServer;
  let token: string;
  const ask = async (method: string, path: string, options: CallOptions, bearer: string): Promise<Answer> => {
    const headers = { authorization: `Bearer ${bearer}`, ...options.headers };
    const answer = await call(method, server.url + path, { ...options, headers });
    expect([200, 413, 429]).toContain(answer.status);
    expect(answer.text.length).toBeLessThanOrEqual(LARGEST);
    if (answer.status === 429) expect(answer.headers.get('retry-after')).toBe('1');
    return answer;
  };
  /** Sends a request until there is room for its answer. */
  const answered = (method: string, path: string, options: CallOptions, bearer: string): Promise<Answer> =>
    until(`${method} ${path}`, async () => {
      const answer = await ask(method, path, options, bearer);
      if (answer.status !== 429) return answer;
      await pause();
      return undefined;
    });
  const list = (query: Record<string, string | number>): Promise<Answer> =>
    answered('GET', '/api/tasks', { query }, token);
  const claim = async (): Promise<Claimed[]> => {
    const headers = { 'idempotency-key': randomUUID() };
    const answer = await answered('POST', '/api/crontask', { json: { limit: 100, lease: 600 }, headers }, WORKER);
    return answer.body.data.list.map((one: any) => ({ taskId: one.task.taskId, leaseToken: one.leaseToken }));
  };
  const report = (reports: object[]): Promise<Answer> =>
    answered('PUT', '/api/crontask', { json: { reports } }, WORKER);

  beforeAll(async () => {
    database = await createDatabase(engine);
    token = await userToken(SECRET, 'alice');
    server = await startServer({
      DATABASE_URL: database.url,
      TASK_JWT_SECRET: SECRET,
      TASK_WORKER_TOKENS: WORKER,
      NODE_OPTIONS: '--max-old-space-size=256',
    });
    for (let made = 0; made < TASKS; made++) {
      const multipart = { input: TEXT, args: TEXT, status: '10' };
      expect((await ask('POST', '/api/tasks', { multipart }, token)).status).toBe(200);
    }
  });
  afterAll(async () => {
    await server?.stop();
    await database?.drop();
  });

  /** All tasks, from page to page. */
  const pages = async (): Promise<string[]> => {
    const refused = await list({ pageNum: TASKS });
    const [{ field, rule, fits }] = refused.body.data.detail;
    expect([refused.status, field, rule]).toEqual([413, 'pageNum', 'answerBytes']);
    const ids: string[] = [];
    let page: Listed = (await list({ pageNum: fits })).body.data;
    for (;;) {
      ids.push(...page.list.map(({ taskId }) => taskId));
      if (page.nextCursor === null) return ids;
      page = (await list({ pageNum: TASKS, cursor: page.nextCursor })).body.data;
    }
  };

  /** Reports on all of these, and again on those that the answer had no room for. */
  const reported = async (claimed: Claimed[]): Promise<void> => {
    for (let left = claimed; left.length > 0;) {
      const { body } = await report(left.slice(0, 100).map((one) => ({ ...one, progress: 1 })));
      const refused = body.data.list.filter(({ status }: any) => status !== 1);
      expect(new Set(refused.map(({ data }: any) => data.code)).size).toBeLessThan(2);
      if (refused.length > 0) expect(refused[0].data.code).toBe(TASK_ERRORS.TOO_MANY_REQUESTS.code);
      const taken = new Set(body.data.list.filter(({ status }: any) => status === 1).map(({ taskId }: any) => taskId));
      left = left.filter(({ taskId }) => !taken.has(taskId));
      if (taken.size === 0) await pause();
    }
  };

  it(`many at once are answered, or refused in words, and memory is bounded`, async () => {
    const all = await pages();
    expect([all.length, new Set(all).size]).toEqual([TASKS, TASKS]);

    const slow = Array.from({ length: 6 }, () => slowReader(server.url, token));
    const mine: Claimed[] = [];
    // An empty answer does not say that no task is left: another claim may hold rows, and give them back.
    const work = (): Promise<boolean> =>
      until(
        'all tasks are in hand',
        async () => {
          const claimed = await claim();
          mine.push(...claimed);
          await reported(claimed);
          return mine.length >= TASKS;
        },
        180,
      );
    const byIds = async (): Promise<void> => {
      const refused = await answered('POST', '/api/tasks/list', { json: { ids: all } }, token);
      const [{ field, fits }] = refused.body.data.detail;
      expect([refused.status, field]).toEqual([413, 'ids']);
      const some = await answered('POST', '/api/tasks/list', { json: { ids: all.slice(0, fits) } }, token);
      expect(some.body.data.list.map(({ taskId }: any) => taskId)).toEqual(all.slice(0, fits));
    };
    const first = async (): Promise<void> => {
      const { status, body } = await list({ pageNum: 9 });
      expect([status, body.data.list.length]).toEqual([200, 9]);
    };
    const kinds = [byIds, first, first];
    const lists = Array.from({ length: AT_ONCE }, (_, index) => kinds[index % kinds.length]!());
    await Promise.all([...lists, ...Array.from({ length: AT_ONCE }, work)]);
    // Each was handed out once, and none was taken that was not handed out.
    expect(mine.map(({ taskId }) => taskId).sort()).toEqual([...all].sort());
    for (const socket of slow) socket.destroy();

    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => reported(mine.slice(index * 20, index * 20 + 30))));
    expect((await call('GET', `${server.url}/health/ready`)).status).toBe(200);
    expect(server.process.exitCode).toBeNull();
    const peak = peakOf(server.process.pid!);
    if (peak === undefined) return;
    process.stdout.write(`${engine}: ${Math.round(peak)} MiB at most\n`);
    expect(peak).toBeLessThan(MOST_MEMORY);
  });
});

/** A client that asks for much, and reads nothing of it. */
function slowReader(url: string, token: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined).pause();
  socket.write(`GET /api/tasks?pageNum=10 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  return socket;
}

/** Mebibytes that a process has had at most, where the system tells. */
function peakOf(pid: number): number | undefined {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  } catch {
    return undefined;
  }
}
