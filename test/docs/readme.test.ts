import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { createDatabase, ENGINES } from '../support/databases.js';
import { codeOf, read } from '../support/documents.js';
import { call } from '../support/http.js';

const root = resolve(import.meta.dirname, '../..');

/** The guard that docs/getting-started.md begins with. */
const GUARD = codeOf(read('docs/getting-started.md'), 'ts').find((text) => text.includes('class AuthGuard'))!;

describe('the README', () => {
  it('has a first snippet that, run as it stands, serves a task', async () => {
    const database = await createDatabase(ENGINES.includes('mysql') ? 'mysql' : 'sqlite');
    mkdirSync(join(root, 'dist'), { recursive: true });
    const folder = mkdtempSync(join(root, 'dist/readme-'));
    const compile = (name: string, text: string) =>
      writeFileSync(
        join(folder, name),
        ts.transpileModule(text, {
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            experimentalDecorators: true,
            emitDecoratorMetadata: true,
          },
        }).outputText,
      );
    const embedded = `type: 'better-sqlite3', driver: (await import('libsql')).default, database: process.env.DATABASE_URL!.slice(7)`;
    const [first] = codeOf(read('README.md'), 'ts');
    const mysql = `type: 'mysql', url: process.env.DATABASE_URL, timezone: 'Z'`;
    expect(first).toContain(mysql);
    compile('app.module.js', database.engine === 'mysql' ? first! : first!.replace(mysql, embedded));
    compile('auth.guard.js', GUARD);
    compile(
      'main.js',
      `import { NestFactory } from '@nestjs/core';
      import { AppModule } from './app.module.js';
      const app = await NestFactory.create(AppModule, { logger: false });
      await app.listen(0, '127.0.0.1');
      console.log(await app.getUrl());`,
    );
    const host = spawn(process.execPath, [join(folder, 'main.js')], {
      env: { ...process.env, DATABASE_URL: database.url, WORKER_TOKEN: 'readme-worker-token' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((end) => host.once('close', end));
    try {
      const url = await new Promise<string>((found, failed) => {
        host.stdout.once('data', (chunk) => found(String(chunk).trim()));
        void ended.then((code) => failed(new Error(`the host ended: ${String(code)}`)));
      });
      const created = await call('POST', `${url}/api/tasks`, { form: { input: 'x', status: '10' } });
      const headers = { authorization: 'Bearer readme-worker-token' };
      const claimed = await call('GET', `${url}/api/crontask`, { headers });
      expect(claimed.body.data.task.taskId).toBe(created.body.data.taskId);
    } finally {
      host.kill();
      await ended;
      rmSync(folder, { recursive: true });
      await database.drop();
    }
  });
});
