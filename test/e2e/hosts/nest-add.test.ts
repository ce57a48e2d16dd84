import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createDatabase, type Engine, ENGINES } from '../../support/databases.js';
import { freePort } from '../../support/free-port.js';
import { describeInWhole } from '../../support/host.js';
import { call } from '../../support/http.js';
import { until } from '../../support/until.js';
import { pack, run } from './fixtures/pack.js';

/** What every npm does here, those that the Nest CLI starts, too. */
const NPM = {
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_ignore_scripts: 'true',
};
/** SQLite's driver is compiled: nothing here does that. */
const DATABASE = (['postgres', 'mysql'] as const).find((engine) => (ENGINES as Engine[]).includes(engine));

// Installs apps from the registry, which takes minutes: in `npm run test:all`.
describeInWhole.each([11, 12] as const)('nest add @softdd/task in a fresh app of NestJS %i', (nest) => {
  const folder = mkdtempSync(join(tmpdir(), 'softdd-task-nest-add-'));
  const app = join(folder, 'app');
  const env = { ...process.env, ...NPM };
  const read = (path: string): string => readFileSync(join(app, path), 'utf8');
  const texts = (): string[] => ['package.json', 'src/app.module.ts', '.env'].map(read);
  const nestAdd = async (...options: string[]): Promise<string> => {
    const cli = join(app, 'node_modules/@nestjs/cli/bin/nest.js');
    const args = [cli, 'add', '@softdd/task', '--skip-install', ...options];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: app, env });
    return stdout + stderr;
  };

  beforeAll(async () => {
    const { filename } = await pack(folder);
    const cli = join(folder, 'cli');
    mkdirSync(cli);
    await run('npm', ['install', '--prefix', cli, `@nestjs/cli@${nest}`], { cwd: cli, env });
    const args = ['new', 'app', '--skip-install', '--skip-git', '--package-manager', 'npm', '--strict'];
    await run(process.execPath, [join(cli, 'node_modules/@nestjs/cli/bin/nest.js'), ...args], { cwd: folder, env });
    // What `nest add` does first, from the registry.
    await run('npm', ['install', join(folder, filename)], { cwd: app, env });
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('refuses an app without app.module.ts, in a clear line', async () => {
    const before = read('package.json');
    renameSync(join(app, 'src/app.module.ts'), join(app, 'app.module.ts'));
    const { code, output } = await nestAdd().then(
      (text) => ({ code: 0, output: text }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
    expect(output).toMatch(/Error: There is no src\/app\.module\.ts\. .*Import TaskModule by hand: https:/);
    // NestJS 12's CLI says so by its exit code, too.
    if (nest === 12) expect(code).toBe(1);
    renameSync(join(app, 'app.module.ts'), join(app, 'src/app.module.ts'));
    expect(read('package.json')).toBe(before);
  });

  it('adds the module, the keys and the packages, and the second time nothing', async () => {
    const output = await nestAdd(...(DATABASE ? [`--database=${DATABASE}`] : []));
    expect(output).toMatch(/CREATE\S* \.env/);
    expect(read('src/app.module.ts')).toContain('TaskModule.forRoot({ workerTokens: [process.env.WORKER_TOKEN!] })');
    const { dependencies } = JSON.parse(read('package.json'));
    expect(dependencies).toMatchObject({
      '@nestjs/axios': nest === 11 ? '^4.0.0' : '^12.0.0',
      '@nestjs/swagger': `^${nest}.0.0`,
      '@nestjs/typeorm': `^${nest}.0.0`,
    });
    expect(JSON.parse(read('node_modules/@nestjs/core/package.json')).version).toMatch(new RegExp(`^${nest}\\.`));
    const before = texts();
    expect(await nestAdd()).toContain('Nothing to be done');
    expect(texts()).toEqual(before);
  });

  (DATABASE ? it : it.skip)('makes an app that compiles and serves the queue', async () => {
    await run('npm', ['run', 'build'], { cwd: app, env });
    const database = await createDatabase(DATABASE!);
    const port = await freePort();
    const child = spawn(process.execPath, ['--env-file=.env', 'dist/main.js'], {
      cwd: app,
      env: { ...process.env, PORT: String(port), DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const ended = new Promise<void>((end) => child.once('close', () => end()));
    try {
      const [, token] = /^WORKER_TOKEN=(\w+)$/m.exec(read('.env'))!;
      const claim = (given: string) =>
        call('GET', `http://127.0.0.1:${port}/api/crontask`, { headers: { authorization: `Bearer ${given}` } });
      // Nest says that the app has started before it listens.
      await until('the app answers', () => {
        if (child.exitCode !== null) throw new Error(`the app ended (${child.exitCode}):\n${output}`);
        return claim(token!).catch(() => undefined);
      });
      expect((await claim(token!)).status).toBe(200);
      expect((await claim('another-token-0123456789')).status).not.toBe(200);
      // No guard says who a user is.
      expect((await call('GET', `http://127.0.0.1:${port}/api/tasks`)).status).toBe(430);
    } finally {
      child.kill();
      await ended;
      await database.drop();
    }
  });
});
