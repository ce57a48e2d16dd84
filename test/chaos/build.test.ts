import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { built } from '../support/build.js';
import { call } from '../support/http.js';
import { run, startServer } from '../support/server.js';
import { until } from '../support/until.js';

const root = resolve(import.meta.dirname, '../..');
const BUILD = join(root, 'scripts/build.js');
const WATCHED = ['main.js', 'index.js', 'server/serve.js', 'queue/stores/task.store.js', '../cjs/index.js'].map(built);
const inodes = (): number[] => WATCHED.map((path) => statSync(path).ino);

const startBuild = (): ChildProcess =>
  spawn(process.execPath, [BUILD, '--force'], { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
const endOf = (build: ChildProcess) => new Promise((end) => build.once('close', (code, signal) => end(signal ?? code)));

it('two builds under a running server take no file away, and remove what has no source', async () => {
  const stale = built('stale.js');
  writeFileSync(stale, '');
  const before = inodes();
  const server = await startServer();
  const builds = [startBuild(), startBuild()];
  const ended = Promise.all(builds.map(endOf));
  let missing = 0;
  let asked = 0;
  while (builds.some(({ exitCode }) => exitCode === null)) {
    missing += WATCHED.filter((path) => !existsSync(path)).length;
    if (asked++ % 50 === 0) expect((await call('GET', `${server.url}/health/ready`)).status).toBe(200);
    await sleep(2);
  }
  expect(await ended).toEqual([0, 0]);
  expect(missing).toBe(0);
  expect(inodes()).not.toEqual(before);
  expect(existsSync(stale)).toBe(false);
  expect((await call('GET', `${server.url}/docs-json`)).status).toBe(200);
  expect(await server.stop()).toBe(0);
  expect(await (await startServer()).stop()).toBe(0);
}, 300_000);

it('a build that is killed changes nothing, and the next one removes what it left', async () => {
  const before = inodes();
  const build = startBuild();
  const ended = endOf(build);
  const part = join(root, `dist/.part-${build.pid}`);
  await until('some of the build', () => existsSync(join(part, 'src')) || undefined, 120);
  // With the compiler, which is a process of its own.
  process.kill(-build.pid!, 'SIGTERM');
  expect(await ended).toBe('SIGTERM');
  expect(readdirSync(part)).not.toEqual([]);
  expect(inodes()).toEqual(before);
  expect(await (await startServer()).stop()).toBe(0);
  expect(await run(process.execPath, [BUILD])).toMatchObject({ code: 0 });
  expect(existsSync(part)).toBe(false);
  expect(inodes()).toEqual(before);
}, 300_000);
