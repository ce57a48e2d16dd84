import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { createDatabase, ENGINES } from '../support/databases.js';
import { call } from '../support/http.js';
import { typeErrors } from '../support/type-errors.js';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const snippets = (file: string): string[] => [...read(file).matchAll(/```ts\n([^]*?)```/g)].map((match) => match[1]!);

const GUARD = `
  import type { CanActivate, ExecutionContext } from '@nestjs/common';
  export class AuthGuard implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      context.switchToHttp().getRequest().user = { id: 'alice' };
      return true;
    }
  }`;

describe('the documents', () => {
  it('say what the code says: options, defaults, error codes, moves', async () => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/write-docs.js'), '--check']);
  });

  it('name every variable of the server', () => {
    const config = read('src/server/config.ts');
    const variables = [...config.matchAll(/environment\.([A-Z_]+)/g)].map((match) => match[1]!);
    expect(variables.length).toBeGreaterThan(4);
    for (const file of ['README.md', 'README.zh-CN.md'])
      for (const variable of variables) expect(read(file)).toContain(`\`${variable}\``);
  });

  it.each(['README.md', 'README.zh-CN.md', 'docs/workers.md'])('%s: every TypeScript snippet compiles', (file) => {
    const sources = new Map(snippets(file).map((text, index) => [join(root, `test/docs/snippet${index}.ts`), text]));
    expect(sources.size).toBeGreaterThan(4);
    sources.set(join(root, 'test/docs/auth.guard.ts'), GUARD);
    expect(typeErrors(sources)).toEqual([]);
  });

  it('the first snippet, run as it stands, serves a task', async () => {
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
    const [first] = snippets('README.md');
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
