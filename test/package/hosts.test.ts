import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADAPTERS } from '../support/host.js';
import { call } from '../support/http.js';
import { pack, run } from './pack.js';

const FIXTURES = resolve(import.meta.dirname ?? 'test/package', 'fixtures');
const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
const WORKER = { authorization: 'Bearer worker-token-0123456789' };
const USER = { 'x-user': 'alice' };

const nest = (version: string, typeorm: string, axios: string): string[] => [
  ...['common', 'core', 'platform-express', 'platform-fastify', 'swagger', 'typeorm'].map(
    (name) => `@nestjs/${name}@${version}`,
  ),
  ...[
    `typeorm@${typeorm}`,
    `@nestjs/axios@${axios}`,
    'axios@1',
    'class-transformer',
    'class-validator',
    'libsql',
    'reflect-metadata',
    'rxjs',
  ],
];

describe.each([
  { host: 'NestJS 12 as ES modules', file: 'nest12.js', type: 'module', needs: nest('12', '1', '12') },
  { host: 'NestJS 11 as CommonJS', file: 'nest11.cjs', type: 'commonjs', needs: nest('11', '0.3', '4') },
])('the package in an empty host with $host', ({ file, type, needs }) => {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-host-'));
  beforeAll(async () => {
    const { filename } = await pack(folder);
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'host', version: '1.0.0', private: true, type }),
    );
    copyFileSync(join(FIXTURES, file), join(folder, file));
    await run('npm', [...INSTALL, join(folder, filename), ...needs], { cwd: folder });
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(ADAPTERS)('runs a task over HTTP on %s', async (adapter) => {
    const server = await start(join(folder, file), [adapter, join(folder, `${adapter}.sqlite`)]);
    try {
      const tasks = `${server.url}/api/tasks`;
      // Multipart on both: the adapters have no parser for it, so it is our hook that reads it.
      const created = await call('POST', tasks, { multipart: { input: 'in', status: '10' }, headers: USER });
      expect(created.body).toMatchObject({ status: 1, data: { status: 10, input: 'in' } });
      const { taskId } = created.body.data;
      expect((await call('GET', tasks, { headers: USER })).body.data.list).toHaveLength(1);
      const claimed = await call('GET', `${server.url}/api/crontask`, { headers: WORKER });
      expect(claimed.body.data.task).toMatchObject({ taskId, status: 20 });
      const json = { status: 30, output: 'out' };
      await call('PUT', `${server.url}/api/crontask/${taskId}`, { json, headers: WORKER });
      const seen = await call('GET', `${tasks}/${taskId}`, { headers: USER });
      expect(seen.body.data).toMatchObject({ status: 30, progress: 100, output: 'out' });
      const missing = await call('POST', tasks, { form: { args: 'x' }, headers: USER });
      expect([missing.status, missing.body.data.code]).toEqual([400, 14004]);
      expect((await call('GET', tasks)).status).toBe(430);
      const { paths, components } = (await call('GET', `${server.url}/docs-json`)).body;
      expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['task', 'cronTask']));
      expect(paths['/api/tasks'].post).toMatchObject({ operationId: 'createTask', tags: ['tasks'] });
    } finally {
      await server.stop();
    }
  });

  it('keeps its tasks over a restart', async () => {
    const server = await start(join(folder, file), ['express', join(folder, 'express.sqlite')]);
    const answer = await call('GET', `${server.url}/api/tasks`, { headers: USER });
    await server.stop();
    expect(answer.body.data.list).toHaveLength(1);
  });
});

async function start(file: string, args: string[]): Promise<{ url: string; stop(): Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ended = new Promise<void>((end) => child.once('close', () => end()));
  const url = await new Promise<string>((found, failed) => {
    const read = (chunk: Buffer): void => {
      output += String(chunk);
      const [, address] = /listening on (\S+)/.exec(output) ?? [];
      if (address) found(address);
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    void ended.then(() => failed(new Error(`the host ended:\n${output}`)));
  });
  return {
    url,
    stop: () => {
      child.kill();
      return ended;
    },
  };
}
