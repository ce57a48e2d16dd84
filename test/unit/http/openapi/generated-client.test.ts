import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import ts from 'typescript';
import { userToken } from '../../../../src/server/secrets.js';
import { generateTypes } from '../../../support/generated-types.js';
import { describeInWhole, WORKER_TOKEN } from '../../../support/host.js';
import { call } from '../../../support/http.js';
import { type ServerHere, serveHere } from '../../../support/server-here.js';
import { typeErrors } from '../../../support/type-errors.js';

const root = resolve(import.meta.dirname, '../../../..');
const SECRET = 'a-secret-of-at-least-32-bytes-in-length';

/** What a user writes over the generated types: nothing of ours is imported. */
const PROGRAM = `
  import createClient from 'openapi-fetch';
  import type { paths } from './generated.js';
  const { URL: baseUrl, USER_TOKEN, WORKER_TOKEN } = process.env;
  const as = (token: string | undefined) => createClient<paths>({ baseUrl: baseUrl!, headers: { authorization: 'Bearer ' + token } });
  const [user, worker] = [as(USER_TOKEN), as(WORKER_TOKEN)];

  const created = await user.POST('/api/tasks', {
    params: { header: { 'Idempotency-Key': 'once' } },
    body: { input: 's3://in.mp4', service: 'transcode', status: 10 },
  });
  if (!created.data || !('taskId' in created.data.data)) throw new Error(JSON.stringify(created.error));
  const { taskId } = created.data.data;
  const claimed = await worker.GET('/api/crontask', { params: { query: { service: 'transcode', lease: 30, wait: 5 } } });
  if (!claimed.data || !('leaseToken' in claimed.data.data)) throw new Error(JSON.stringify(claimed.error));
  const { leaseToken, task, attempt } = claimed.data.data;
  const report = { params: { path: { taskId: task.taskId } }, body: { leaseToken, progress: 50, temp: 'frame 1200' } };
  await worker.PUT('/api/crontask/{taskId}', report);
  const many = await worker.PUT('/api/crontask', {
    body: { reports: [{ taskId: task.taskId, leaseToken, status: 30, output: 's3://out.mp4' }] },
  });
  const late = await worker.PUT('/api/crontask/{taskId}', report);
  const seen = await user.GET('/api/tasks/{taskId}', { params: { path: { taskId } } });
  const { output, progress, temp } = seen.data!.data;
  const list = await user.GET('/api/tasks', { params: { query: { service: 'transcode' } } });
  const removed = await user.DELETE('/api/tasks', { body: { ids: [taskId] } });
  console.log(JSON.stringify({
    same: task.taskId === taskId, attempt, output, progress, temp, many: many.data!.data.list.length,
    late: [late.response.status, late.error!.data.code], listed: list.data!.data.list.length,
    removed: removed.data!.data.deleted.length,
  }));
  export {};`;

// Compilers and a program: in `npm run test:all`. test/unit/client/types.test.ts generates types, too.
describeInWhole('a client that openapi-typescript and openapi-fetch make of the served document', () => {
  let server: ServerHere;
  let generated: string;
  const folder = (mkdirSync(join(root, 'dist'), { recursive: true }), mkdtempSync(join(root, 'dist/generated-')));
  beforeAll(async () => {
    server = await serveHere({ TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER_TOKEN });
    generated = await generateTypes((await call('GET', `${server.url}/docs-json`)).body);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server?.stop();
  });

  it('has types that fit', () => {
    const [program, types] = ['program.ts', 'generated.ts'].map((file) => join(folder, file));
    expect(
      typeErrors(
        new Map([
          [program!, PROGRAM],
          [types!, generated],
        ]),
      ),
    ).toEqual([]);
    const wrong = PROGRAM.replace("service: 'transcode', status: 10", 'service: 7, status: 11');
    expect(
      typeErrors(
        new Map([
          [program!, wrong],
          [types!, generated],
        ]),
      ).length,
    ).toBeGreaterThan(0);
  });

  it('creates, claims, reports, finishes, lists and deletes', async () => {
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const file = join(folder, 'program.mjs');
    writeFileSync(file, ts.transpileModule(PROGRAM, { compilerOptions }).outputText);
    const { stdout } = await promisify(execFile)(process.execPath, [file], {
      env: { ...process.env, URL: server.url, USER_TOKEN: await userToken(SECRET, 'alice'), WORKER_TOKEN },
    });
    expect(JSON.parse(stdout)).toEqual({
      same: true,
      attempt: 1,
      output: 's3://out.mp4',
      progress: 100,
      temp: 'frame 1200',
      many: 1,
      late: [409, 14005],
      listed: 1,
      removed: 1,
    });
  });
});
