import { spawn } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userToken } from '../../../src/server/secrets.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { spread } from '../../support/host.js';
import { type Ended, run } from '../../support/server.js';
import { type ServerHere, serveHere } from '../../support/server-here.js';
import { until } from '../../support/until.js';

const SCRIPT = resolve('examples/worker.py');
const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const TOKEN = 'a-worker-token-of-ours';

/** The worker as a process that goes on until it is told to stop. */
function startWorker(url: string): { output: () => string; stop: (signal: NodeJS.Signals) => Promise<number | null> } {
  const child = spawn('python3', [SCRIPT, '--url', url, '--token', TOKEN]);
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((end) => child.once('close', end));
  return {
    output: () => output,
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

describe.each(spread(import.meta))('examples/worker.py beside a server on $engine', ({ engine }) => {
  let database: TestDatabase;
  let server: ServerHere;
  let authorization: string;
  beforeAll(async () => {
    authorization = `Authorization: Bearer ${await userToken(SECRET, 'alice')}`;
    database = await createDatabase(engine);
    server = await serveHere({ DATABASE_URL: database.url, TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: TOKEN });
  });
  afterAll(async () => {
    await server?.stop();
    await database?.drop();
  });

  /** A ready task, created by curl as multipart. */
  async function create(...fields: string[]): Promise<string> {
    const form = ['status=10', ...fields].flatMap((field) => ['-F', field]);
    const { stdout } = await run('curl', ['-sS', `${server.url}/api/tasks`, '-H', authorization, ...form]);
    return JSON.parse(stdout).data.taskId;
  }
  const see = async (taskId: string): Promise<unknown> =>
    JSON.parse((await run('curl', ['-sS', `${server.url}/api/tasks/${taskId}`, '-H', authorization])).stdout).data;
  const work = (...more: string[]): Promise<Ended> =>
    run('python3', [SCRIPT, '--url', server.url, '--token', TOKEN, '--once', ...more]);

  it.each([
    ['JSON', []],
    ['multipart', ['--multipart']],
  ])('finishes a task that curl created as multipart, in %s', async (_, more) => {
    const taskId = await create('input=schöne 🌍 "Welt"', 'args={"steps": 3}');
    const ended = await work(...more);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain(`finished ${taskId}`);
    expect(await see(taskId)).toMatchObject({
      status: 30,
      progress: 100,
      temp: 'step 3 of 3',
      output: 'SCHÖNE 🌍 "WELT"',
    });
  });

  if (engine !== 'sqlite') return;

  it.each([
    ['JSON', []],
    ['multipart', ['--multipart']],
  ])('reports a failure of the work, in %s', async (_, more) => {
    const taskId = await create('input=x', 'args=not JSON');
    expect(await work(...more)).toMatchObject({ code: 0, stdout: expect.stringContaining(`failed ${taskId}`) });
    expect(await see(taskId)).toMatchObject({ status: -10, output: expect.stringMatching(/^JSONDecodeError: /) });
  });

  it('takes tasks of its service only', async () => {
    const [other, own] = [await create('input=other', 'service=other'), await create('input=own', 'service=own')];
    await work('--service', 'own');
    expect([await see(own), await see(other)]).toMatchObject([{ status: 30 }, { status: 10 }]);
    await work('--service', 'other');
  });

  it('waits while there is nothing, works what comes, and stops at SIGTERM', async () => {
    const worker = startWorker(server.url);
    const taskId = await create('input=later');
    await until('finished', () => worker.output().includes(`finished ${taskId}`));
    expect(await worker.stop('SIGTERM')).toBe(0);
    expect(worker.output()).toContain('stopped');
    expect(await see(taskId)).toMatchObject({ status: 30, output: 'LATER' });
  });

  it('gives up with one line where its token is refused', async () => {
    const { code, stderr } = await run('python3', [SCRIPT, '--url', server.url, '--token', 'another-worker-token']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^the server refuses this worker: HTTP 430: .*10001.*\n$/);
  });
});

describe('examples/worker.py, asking', () => {
  it('heeds Retry-After, waits longer each time there is nothing, and stops at SIGINT', async () => {
    const times: number[] = [];
    const answers = [
      (response: ServerResponse) => response.writeHead(503, { 'Retry-After': '1' }).end(),
      (response: ServerResponse) => response.end('{"status":1,"data":[]}'),
    ];
    const server = createServer((_, response) => {
      (answers[times.length] ?? answers[1]!)(response);
      times.push(performance.now());
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const worker = startWorker(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await until('four questions', () => times.length === 4);
    expect(await worker.stop('SIGINT')).toBe(0);
    server.close();
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    expect(gaps[0]).toBeGreaterThan(950);
    expect(gaps[1]).toBeGreaterThan(750);
    expect(gaps[2]).toBeGreaterThan(1500);
  });
});
