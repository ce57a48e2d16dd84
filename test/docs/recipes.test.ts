import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { STATUS, TaskClient } from '../../src/client/index.js';
import type { TaskJson } from '../../src/index.js';
import { userToken } from '../../src/server/secrets.js';
import { itInWhole } from '../support/host.js';
import { type ServerHere, serveHere } from '../support/server-here.js';
import { until } from '../support/until.js';

const root = resolve(import.meta.dirname, '../..');
const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const WORKER_TOKEN = 'a-worker-token-of-ours';

/** The first piece of code below a heading, as it stands in the document. */
function snippet(file: string, heading: string): { language: string; text: string } {
  const [, below] = readFileSync(join(root, file), 'utf8').split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [, language, text] = /```(\w+)\n([^]*?)```/.exec(below!)!;
  return { language: language!, text: text! };
}

describe('snippets of workers, run as they stand', () => {
  let server: ServerHere;
  let user: TaskClient;
  let programs: ChildProcess[] = [];
  // In the project, where the package finds itself by its name.
  const folder = (mkdirSync(join(root, 'dist'), { recursive: true }), mkdtempSync(join(root, 'dist/recipes-')));
  const environment: Record<string, string> = { WORKER_TOKEN, PYTHONPATH: join(root, 'clients/python') };
  beforeAll(async () => {
    server = await serveHere({ TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER_TOKEN });
    const token = await userToken(SECRET, 'alice');
    user = new TaskClient({ baseUrl: server.url, token });
    Object.assign(environment, { TASK_URL: server.url, USER_TOKEN: token });
  });
  afterEach(() => {
    for (const program of programs) program.kill('SIGKILL');
    programs = [];
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server?.stop();
  });

  /** Starts the snippet; answers what it printed, and its end. */
  function start(file: string, heading: string, more = '') {
    const { language, text } = snippet(file, heading);
    const path = join(folder, `snippet.${language === 'python' ? 'py' : 'mjs'}`);
    const compilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    };
    writeFileSync(path, language === 'python' ? text : ts.transpileModule(text + more, { compilerOptions }).outputText);
    const program = spawn(language === 'python' ? 'python3' : process.execPath, [path], {
      env: { ...process.env, ...environment, PYTHONDONTWRITEBYTECODE: '1' },
    });
    programs.push(program);
    let output = '';
    for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise<number | null>((end) => program.once('close', end));
    return {
      output: () => output,
      ended,
      stop: (signal: NodeJS.Signals) => {
        program.kill(signal);
        return ended;
      },
    };
  }
  const create = (service: string, more: object = {}) =>
    user.create({ input: 'film', service, status: STATUS.BEGIN, ...more });
  const ended = (taskId: string) => user.waitFor(taskId, { timeout: 120, interval: 0.2 });

  it.each([
    ['README.md', 'A worker in TypeScript'],
    ['README.md', 'A worker in Python'],
    ['README.zh-CN.md', '用 TypeScript 写 worker'],
    ['README.zh-CN.md', '用 Python 写 worker'],
    ['docs/workers.md', 'TypeScript'],
    ['docs/workers.md', 'Python'],
  ])('%s, %s: works a task, and ends with 0 at SIGTERM', async (file, heading) => {
    const worker = start(file, heading);
    const { taskId } = await create('transcode');
    expect(await ended(taskId)).toMatchObject({ status: STATUS.FINISHED, output: 'film.mp4' });
    expect([await worker.stop('SIGTERM'), worker.output()]).toEqual([0, '']);
  });

  const worksInside = async (file: string, heading: string): Promise<void> => {
    const host = `
      import { NestFactory } from '@nestjs/core';
      import { TypeOrmModule } from '@nestjs/typeorm';
      import { TaskModule, TaskService } from '@softdd/task';
      import libsql from 'libsql';
      const data = TypeOrmModule.forRoot({ type: 'better-sqlite3', driver: libsql, database: ':memory:', autoLoadEntities: true });
      const module = { module: class {}, imports: [data, TaskModule.forRoot({ cronGuards: [] })], providers: [Thumbnails] };
      const app = await NestFactory.create(module, { logger: false });
      await app.init();
      const tasks = app.get(TaskService);
      const { taskId } = await tasks.create({ userId: 'alice', input: 'film', service: 'thumbnail', status: 10 });
      let task;
      do await new Promise((next) => setTimeout(next, 50));
      while ((task = await tasks.get(taskId)).status !== 30);
      await app.close();
      console.log(task.output);`;
    const program = start(file, heading, host);
    expect([await program.ended, program.output()]).toEqual([0, 'film.jpg\n']);
  };

  // Each starts a host of its own: in `npm run test:all`.
  itInWhole.each([
    ['docs/getting-started.md', 'A worker inside the host'],
    ['docs/zh-CN/getting-started.md', '宿主应用内的 worker'],
    ['docs/workers.md', 'Inside the host'],
  ])('%s, %s: works a task', worksInside);

  /** Runs the shell lines below a heading, as they stand. */
  async function shell(file: string, heading: string): Promise<string> {
    const { language, text } = snippet(file, heading);
    expect(language).toBe('sh');
    const env = { ...process.env, ...environment, URL: server.url };
    return (await promisify(execFile)('bash', ['-c', text], { env })).stdout;
  }

  it.each([
    ['docs/getting-started.md', 'Create a task', 'See the result'],
    ['docs/zh-CN/getting-started.md', '创建任务', '查看结果'],
  ])('%s: a task from its creation to its end, by a worker with curl', async (file, creation, result) => {
    const created = JSON.parse(await shell(file, creation)) as { data: TaskJson };
    expect(created.data).toMatchObject({ input: 'film.mov', status: STATUS.BEGIN });
    await shell('docs/recipes/curl-worker.md', 'A worker with curl');
    const { data } = JSON.parse(await shell(file, result)) as { data: { list: TaskJson[] } };
    const end = { taskId: created.data.taskId, status: STATUS.FINISHED, output: 'out.mp4', temp: 'frame-1200' };
    expect(data.list[0]).toMatchObject(end);
  });

  it('a GPU worker in Python: goes on from its checkpoint, and refuses what is too much', async () => {
    start('docs/recipes/gpu-worker.md', 'A GPU worker in Python');
    const args = (steps: number) => ({ group: 'gpu', args: JSON.stringify({ steps }) });
    const [fits, tooMuch] = [await create('render', args(3)), await create('render', args(101))];
    expect(await ended(fits.taskId)).toMatchObject({ status: STATUS.FINISHED, output: 'film@3', temp: '3' });
    expect(await ended(tooMuch.taskId)).toMatchObject({ status: STATUS.ERROR, error: 'at most 100 steps', attempt: 1 });
  });

  it('a task every night: one, however many ask', async () => {
    const both = [
      start('docs/recipes/nightly-task.md', 'From a cron of your own'),
      start('docs/recipes/nightly-task.md', 'From a cron of your own'),
    ];
    expect(await Promise.all(both.map((program) => program.ended))).toEqual([0, 0]);
    expect(both[0]!.output()).toBe(both[1]!.output());
    const { list } = await user.list({ service: 'nightly' });
    expect(list).toMatchObject([{ taskId: both[0]!.output().trim(), status: STATUS.WAITING }]);
    expect(list[0]!.runAt).toMatch(/T03:00:00.000Z$/);
    expect(Date.parse(list[0]!.runAt!)).toBeGreaterThan(Date.now());
  });

  it('cancel from the frontend', async () => {
    const program = start('docs/recipes/cancel-from-the-frontend.md', 'Cancel from the frontend');
    expect([await program.ended, program.output()]).toEqual([0, 'cancelled\n']);
  });

  it('checkpoint and resume: begins where the last report was', async () => {
    const { taskId } = await create('import', { input: 'a\nb\nc\nd' });
    const worker = new TaskClient({ baseUrl: server.url, token: WORKER_TOKEN });
    const [claimed] = await worker.claim({ taskId });
    const { leaseToken } = claimed!;
    await worker.report(taskId, { leaseToken, temp: '2' });
    await worker.release(taskId, { leaseToken });
    const program = start('docs/recipes/checkpoint-and-resume.md', 'Checkpoint and resume');
    expect(await ended(taskId)).toMatchObject({ status: STATUS.FINISHED, output: '4 rows' });
    await until('its output', () => program.output() === 'c\nd\n');
    expect(await program.stop('SIGTERM')).toBe(0);
  });
});
