import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ADAPTERS, describeInWhole } from '../../support/host.js';
import { call } from '../../support/http.js';
import { ALL_PARTS, tryPrivateParts } from '../../support/private-parts.js';
import { pack, run } from './fixtures/pack.js';

const FIXTURES = resolve(import.meta.dirname, 'fixtures');
const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
const WORKER = { authorization: 'Bearer worker-token-0123456789' };
const USER = { 'x-user': 'alice' };

/** The packages that the README tells a host with this version of NestJS to install. */
function fromReadme(nest: 11 | 12): string[] {
  const lines = [
    ...readFileSync(resolve(FIXTURES, '../../../../README.md'), 'utf8').matchAll(/^npm install (@softdd.*)$/gm),
  ];
  const [line] = lines.filter(([, packages]) => packages!.includes('@nestjs/typeorm@11') === (nest === 11));
  return line![1]!.split(' ').filter((name) => name !== '@softdd/task');
}

/** What stands in a host of that version before the queue comes in, an embedded database, and the drivers of the others. */
const host = (nest: 11 | 12): string[] => [
  ...['common', 'core', 'platform-express', 'platform-fastify'].map((name) => `@nestjs/${name}@${nest}`),
  `@nestjs/terminus@${nest}`,
  ...['reflect-metadata', 'rxjs', 'libsql', 'mysql2', 'pg'],
];

/** As `nest new` of version 11 has it. */
const JEST = ['@nestjs/testing@11', 'jest@30', 'ts-jest@29', 'typescript@5.7', '@types/jest@30', '@types/node@22'];
/** As `nest new` of version 12 has it. */
const VITEST = ['@nestjs/testing@12', 'vitest@4'];

// Installs hosts from the registry, which takes a minute each: in `npm run test:all`.
describeInWhole.each([
  {
    host: 'NestJS 12 as ES modules',
    file: 'nest12.js',
    type: 'module',
    nest: 12 as const,
    typeorm: /^1\./,
    needs: [...host(12), ...fromReadme(12), ...VITEST],
  },
  {
    host: 'NestJS 11 as CommonJS, with TypeORM 0.3',
    file: 'nest11.cjs',
    type: 'commonjs',
    nest: 11 as const,
    typeorm: /^0\.3\./,
    needs: [...host(11), ...fromReadme(11).map((name) => name.replace(/^typeorm$/, 'typeorm@0.3')), ...JEST],
  },
])('the package in a host with $host', ({ file, type, nest, typeorm, needs }) => {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-host-'));
  let filename: string;
  const runHere = (...args: string[]) => run(process.execPath, args, { cwd: folder });
  beforeAll(async () => {
    ({ filename } = await pack(folder));
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'host', version: '1.0.0', private: true, type }),
    );
    for (const name of [file, 'both-worlds.cjs']) copyFileSync(join(FIXTURES, name), join(folder, name));
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

  it('gives its health to @nestjs/terminus', async () => {
    const server = await start(join(folder, file), ['fastify', join(folder, 'health.sqlite')]);
    await server.stop();
    const [, health] = /^health (.*)$/m.exec(server.output()) ?? [];
    const up = { tasks: { status: 'up', database: 'ok', schema: 'ok', process: 'ok' } };
    expect(JSON.parse(health!)).toEqual({ status: 'ok', info: up, error: {}, details: up });
  });

  it('keeps its tasks over a restart', async () => {
    const server = await start(join(folder, file), ['express', join(folder, 'express.sqlite')]);
    const answer = await call('GET', `${server.url}/api/tasks`, { headers: USER });
    await server.stop();
    expect(answer.body.data.list).toHaveLength(1);
  });

  it('finds every private part of TypeORM, mysql2 and pg that it uses', async () => {
    const { version, report } = await tryPrivateParts(join(folder, 'node_modules/@softdd/task'));
    expect(report).toEqual(ALL_PARTS);
    expect(version).toMatch(typeorm);
  });

  it("is installed by the README's line alone", async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    writeFileSync(join(empty, 'package.json'), '{}');
    const packages = [join(folder, filename), ...fromReadme(nest)];
    await run('npm', [...INSTALL, '--package-lock-only', ...packages], { cwd: empty });
    const lock = JSON.parse(readFileSync(join(empty, 'package-lock.json'), 'utf8'));
    expect(Number.parseInt(lock.packages['node_modules/@nestjs/core'].version)).toBe(nest);
  });

  it('is one copy, imported or required', async () => {
    const { stdout } = await runHere('both-worlds.cjs');
    expect(JSON.parse(stdout)).toEqual({ has: true, differ: [] });
  });

  // NestJS 12 can't be required then.
  if (nest === 11)
    it('is two copies where Node is told not to require ES modules', async () => {
      const { stdout } = await runHere('--no-experimental-require-module', 'both-worlds.cjs');
      expect(JSON.parse(stdout)).toMatchObject({ has: true, differ: expect.arrayContaining(['TaskService']) });
    });

  if (nest === 11)
    it('is imported by the default Jest and TypeScript 5.7 of NestJS 11', async () => {
      cpSync(join(FIXTURES, 'nest11-jest'), folder, { recursive: true });
      await runHere('node_modules/typescript/bin/tsc', '--noEmit', '-p', '.');
      const jest = 'node_modules/jest/bin/jest.js';
      expect((await runHere(jest, 'app')).stderr).toContain('1 passed, 1 total');
      const both = await runHere('--experimental-vm-modules', jest, 'both-worlds');
      expect(both.stderr).toContain('1 passed, 1 total');
    });

  if (nest === 12)
    it('is imported by the default Vitest of NestJS 12', async () => {
      cpSync(join(FIXTURES, 'nest12-vitest'), folder, { recursive: true });
      expect((await runHere('node_modules/vitest/vitest.mjs', 'run')).stdout).toMatch(/Tests .*1 passed/);
    });
});

async function start(file: string, args: string[]): Promise<{ url: string; output(): string; stop(): Promise<void> }> {
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
    output: () => output,
    stop: () => {
      child.kill();
      return ended;
    },
  };
}
