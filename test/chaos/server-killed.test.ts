import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userToken } from '../../src/server/secrets.js';
import { createDatabase, ENGINES, type TestDatabase } from '../support/databases.js';
import { type Answer, call } from '../support/http.js';
import { type RunningServer, startServer } from '../support/server.js';
import { until } from '../support/until.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const WORKER = 'a-worker-token-of-ours';
const CREATES = 200;
const CLAIMS = 100;

describe.each(ENGINES)('kill -9 of the server (%s)', (engine) => {
  let database: TestDatabase;
  let server: RunningServer;
  let user: (method: string, path: string, json?: unknown) => Promise<Answer>;
  const worker = (method: string, path: string, json?: unknown): Promise<Answer> =>
    call(method, server.url + path, { json, headers: { authorization: `Bearer ${WORKER}` } });
  const start = async (): Promise<void> => {
    server = await startServer({ DATABASE_URL: database.url, TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER });
  };

  beforeAll(async () => {
    const headers = { authorization: `Bearer ${await userToken(SECRET, 'alice')}` };
    user = (method, path, json) => call(method, server.url + path, { json, headers });
    database = await createDatabase(engine);
    await start();
  });
  afterAll(async () => {
    await server?.stop();
    await database?.drop();
  });

  it('in the middle of a storm loses nothing that was answered, and hands nothing out twice', async () => {
    const created: string[] = [];
    const claimed: string[] = [];
    let killed = false;
    const note = async (answer: Promise<Answer>): Promise<void> => {
      const { body } = await answer.catch(() => ({ body: undefined }));
      if (body?.data?.taskId) created.push(body.data.taskId);
      if (body?.data?.task) claimed.push(body.data.task.taskId);
      if (killed || created.length < CREATES / 4 || claimed.length < CLAIMS / 4) return;
      killed = server.process.kill('SIGKILL');
    };
    const storm: Promise<void>[] = [];
    for (let i = 0; i < CREATES; i++) {
      storm.push(note(user('POST', '/api/tasks', { input: `task ${i}`, status: 10 })));
      // Half as many claims as creates, in between; those that find nothing yet ask again.
      if (i % (CREATES / CLAIMS) === 0) storm.push(note(claim()));
    }
    await Promise.all(storm);
    expect(killed).toBe(true);
    await server.stop('SIGKILL');

    await start();
    const { body } = await user('GET', `/api/tasks?pageNum=${CREATES}`);
    const statusOf = new Map<string, number>(body.data.list.map((task: any) => [task.taskId, task.status]));
    expect(created.filter((id) => !statusOf.has(id))).toEqual([]);
    expect(claimed.filter((id) => statusOf.get(id) !== 20)).toEqual([]);
    const ready = [...statusOf.keys()].filter((id) => statusOf.get(id) === 10);
    const rest: string[] = [];
    // A claim that finds nothing may only say that others hold rows.
    await until('all that was ready is handed out', async () => rest.push(...(await drain())) >= ready.length);
    expect(new Set([...claimed, ...rest]).size).toBe(claimed.length + rest.length);
    // All that was ready was handed out: nothing is stuck.
    expect(rest.sort()).toEqual(ready.sort());
  });

  it('between two calls loses nothing that was answered', async () => {
    const { taskId } = (await user('POST', '/api/tasks', { input: 'x', status: 10 })).body.data;
    expect((await worker('GET', '/api/crontask')).body.data.task.taskId).toBe(taskId);
    expect((await worker('PUT', `/api/crontask/${taskId}`, { progress: 40, temp: 'half' })).status).toBe(200);
    expect(await server.stop('SIGKILL')).toBe('SIGKILL');
    await start();
    expect((await user('GET', `/api/tasks/${taskId}`)).body.data).toMatchObject({
      status: 20,
      progress: 40,
      temp: 'half',
    });
    const finished = await worker('PUT', `/api/crontask/${taskId}`, { status: 30, output: 'y' });
    expect(finished.body.data.task).toMatchObject({ status: 30, output: 'y' });
  });

  /** Asks until there is a task, or no server. */
  async function claim(): Promise<Answer> {
    for (;;) {
      const answer = await worker('GET', '/api/crontask');
      if (!Array.isArray(answer.body?.data)) return answer;
    }
  }

  /** Claims what is ready, eight at a time. */
  async function drain(): Promise<string[]> {
    const ids: string[] = [];
    const one = async (): Promise<void> => {
      for (;;) {
        const { body } = await worker('GET', '/api/crontask');
        if (Array.isArray(body.data)) return;
        ids.push(body.data.task.taskId);
      }
    };
    await Promise.all(Array.from({ length: 8 }, one));
    return ids;
  }
});
