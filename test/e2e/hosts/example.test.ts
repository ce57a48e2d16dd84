import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built } from '../../support/build.js';
import { call, type CallOptions } from '../../support/http.js';

/** examples/host-app as its README has it built and run. */
const main = (): string => built('../examples/host-app/main.js');
const WORKER_TOKEN = 'a-token-of-16-chars';

describe('examples/host-app', () => {
  let app: ChildProcess;
  let url: string;
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-example-'));

  beforeAll(async () => {
    const environment = { PATH: process.env.PATH, PORT: '0', WORKER_TOKEN, CALLBACK_URL: 'https://example.com/done' };
    app = spawn(process.execPath, [main()], { cwd: folder, env: environment });
    let output = '';
    url = await new Promise((found, failed) => {
      app.on('exit', (code) => failed(new Error(`the example ended (${code}):\n${output}`)));
      for (const stream of [app.stdout!, app.stderr!])
        stream.on('data', (chunk) => {
          output += String(chunk);
          const [, address] = /listening on (\S+)/.exec(output) ?? [];
          if (address) found(address);
        });
    });
  });
  afterAll(async () => {
    if (app?.exitCode === null && app.kill()) await once(app, 'exit');
    rmSync(folder, { recursive: true, force: true });
  });

  const user = (method: string, path: string, options: CallOptions = {}) =>
    call(method, url + path, { ...options, headers: { 'x-user': 'alice' } });
  const worker = (method: string, path: string, options: CallOptions = {}) =>
    call(method, url + path, { ...options, headers: { authorization: `Bearer ${WORKER_TOKEN}` } });

  it("runs a task through, the README's way", async () => {
    const form = { input: 's3://in.mp4', title: 'Holidays', status: '11' };
    const created = await user('POST', '/api/videos', { form });
    expect(created.body).toMatchObject({ ok: true, result: { service: 'transcode', status: 11, title: 'Holidays' } });
    const { taskId } = created.body.result;
    const claimed = await worker('GET', '/api/video-jobs');
    expect(claimed.body.result).toMatchObject({ task: { taskId, status: 21 }, updateUrl: 'https://example.com/done' });
    const report = (values: Record<string, string>) => worker('PUT', `/api/video-jobs/${taskId}`, { form: values });
    expect((await report({ status: '25', progress: '90' })).body.result.task).toMatchObject({ status: 25 });
    expect((await report({ status: '31', output: 's3://out.mp4' })).status).toBe(200);
    const seen = await user('GET', `/api/videos/${taskId}`);
    expect(seen.body.result).toMatchObject({ status: 31, progress: 100, output: 's3://out.mp4', title: 'Holidays' });
    expect((await user('GET', '/api/videos/stats')).body).toEqual({ ok: true, result: { total: 1, finished: 1 } });
  });

  it('answers its own error codes', async () => {
    await user('POST', '/api/videos', { json: { input: 'in', title: 'Twice' } });
    const again = await user('POST', '/api/videos', { json: { input: 'in', title: 'Twice' } });
    expect([again.status, again.body]).toMatchObject([409, { ok: false, error: { code: 20001 } }]);
    const stranger = await call('GET', `${url}/api/videos`);
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('changes its own column by PUT', async () => {
    const { taskId } = (await user('POST', '/api/videos', { json: { input: 'in' } })).body.result;
    const changed = await user('PUT', `/api/videos/${taskId}`, { multipart: { title: 'Found' } });
    expect(changed.body.result.title).toBe('Found');
  });

  it('documents what it is', async () => {
    const { body } = await call('GET', `${url}/docs-json`);
    expect(Object.keys(body.paths)).toContain('/api/videos/stats');
    expect(body.components.schemas.createTask.properties).toHaveProperty('title');
    expect(body.components.schemas.task.properties).toHaveProperty('title');
  });
});
