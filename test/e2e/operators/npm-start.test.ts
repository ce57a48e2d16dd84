import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { needBuild } from '../../support/build.js';
import { itInWhole } from '../../support/host.js';
import { newFolder, run } from '../../support/server.js';
import { until } from '../../support/until.js';

const root = resolve(import.meta.dirname, '../../..');

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.each([
  'npm run start --script-shell=/bin/sh',
  // The other script, the other shell, and none, where none knows exec: in `npm run test:all`.
  'npm run start:prod --script-shell=/bin/sh',
  'npm run start --script-shell=/bin/bash',
  'node scripts/start.js src/main.js',
])('%s', (line) => {
  const always = line === 'npm run start --script-shell=/bin/sh';
  (always ? it : itInWhole)('ends with its server at SIGTERM, and builds nothing that is built', async () => {
    needBuild();
    const { ino } = statSync(join(root, 'dist/src/main.js'));
    const folder = newFolder();
    const [program, ...args] = line.split(' ');
    const child = spawn(program!, args, {
      cwd: root,
      detached: true,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        NODE_ENV: 'production',
        PORT: '0',
        DATABASE_URL: `sqlite:${folder}/task.sqlite`,
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise((end) => child.once('close', end));
    try {
      // Logs in production name the process that writes them.
      const server = await until('a server that listens', () => {
        if (child.exitCode !== null) throw new Error(output);
        return output
          .split('\n')
          .filter((line) => line.includes('listening on '))
          .map((line) => /"pid":(\d+)/.exec(line)?.[1])[0];
      });
      child.kill('SIGTERM');
      await ended;
      await until('the end of the server', () => !isAlive(Number(server)) || undefined);
      expect(output).toContain('SIGTERM: draining');
      expect(statSync(join(root, 'dist/src/main.js')).ino).toBe(ino);
    } finally {
      // Whatever of it is left.
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
    }
  });
});

it('a build removes what killed ones have left, and nothing of one that runs', async () => {
  const { stdout } = await run(process.execPath, ['-p', 'process.pid']);
  const [left, running] = [stdout.trim(), process.pid].map((pid) => join(root, `dist/.part-${pid}`));
  for (const folder of [left!, running!]) mkdirSync(join(folder, 'src'), { recursive: true });
  expect(await run(process.execPath, [join(root, 'scripts/build.js')])).toMatchObject({ code: 0 });
  expect([left!, running!].map((folder) => existsSync(folder))).toEqual([false, true]);
  rmSync(running!, { recursive: true });
});
