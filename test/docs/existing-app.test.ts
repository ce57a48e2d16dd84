import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { createDatabase, describeOn } from '../support/databases.js';
import { codeOf, read } from '../support/documents.js';
import { itInWhole } from '../support/host.js';
import { call } from '../support/http.js';
import { run } from '../support/server.js';

const root = resolve(import.meta.dirname, '../..');
/** What a reader of these pages does, all in one app. */
const PAGES = [
  'docs/getting-started.md',
  ...['existing-app', 'customize', 'testing'].map((name) => `docs/recipes/${name}.md`),
];
const snippets = PAGES.flatMap((page) => codeOf(read(page), 'ts'));
const snippet = (part: string): string => snippets.find((text) => text.includes(part))!;
const TOKEN = 'a-worker-token-of-ours';
const SQLITE = "{ type: 'better-sqlite3', driver: libsql, database: ':memory:', autoLoadEntities: true }";

/** The app of a reader who did all of it; `prefixed` as the page's first way, else with the default URIs. */
const main = (prefixed: boolean): string => `
  import { Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { ExpressAdapter } from '@nestjs/platform-express';
  import { FastifyAdapter } from '@nestjs/platform-fastify';
  import { TypeOrmModule } from '@nestjs/typeorm';
  import { TaskModule } from '@softdd/task';
  import libsql from 'libsql';
  import { guard } from './guard.js';
  import { tasks } from './prefix.js';
  import { Audited } from './middleware.js';
  const [adapter] = process.argv.slice(2);
  @Module({
    imports: [
      TypeOrmModule.forRoot(${SQLITE}),
      ${prefixed ? 'tasks' : `TaskModule.forRoot({ workerTokens: ['${TOKEN}'] })`},
      Audited,
    ],
    providers: [guard],
  })
  class AppModule {}
  const http = adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(AppModule, http, { logger: ['error', 'warn'] });
  app.setGlobalPrefix('api');
  await app.listen(0, '127.0.0.1');
  console.log('listening on ' + await app.getUrl());`;

/** A reader's columns, and the migration for them. */
const COLUMNS = `
  import { Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { TypeOrmModule } from '@nestjs/typeorm';
  import { taskMigrations, TaskModule, TaskService } from '@softdd/task';
  import libsql from 'libsql';
  import { Videos, VideoTask } from './columns.js';
  class Title1900000000000 {
    up = (runner) => runner.query('ALTER TABLE tasks ADD COLUMN title varchar(100)');
    down = () => undefined;
  }
  const database = { ...${SQLITE}, migrations: [...taskMigrations(), Title1900000000000], migrationsRun: true };
  @Module({
    imports: [TypeOrmModule.forRoot(database), TaskModule.forRoot({ entity: VideoTask, cronGuards: [] })],
    providers: [Videos],
  })
  class AppModule {}
  const app = await (await NestFactory.create(AppModule, { logger: ['error'] })).init();
  const task = await app.get(TaskService).create({ userId: 'alice', input: 'x', title: 'Holidays' });
  console.log(await app.get(Videos).titleOf(task.taskId));
  await app.close();`;

const POSTGRES = `
  import { Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { TaskModule, TaskService } from '@softdd/task';
  import { database } from './postgres.js';
  @Module({ imports: [database, TaskModule.forRoot({ cronGuards: [] })] })
  class AppModule {}
  const app = await (await NestFactory.create(AppModule, { logger: ['error'] })).init();
  console.log((await app.get(TaskService).create({ userId: 'alice', input: 'x' })).input);
  await app.close();`;

const TESTS = `
  import { TaskService } from '@softdd/task';
  import libsql from 'libsql';
  import { startTasks } from './tests.js';
  const module = await startTasks(libsql);
  console.log((await module.get(TaskService).create({ userId: 'alice', input: 'x' })).input);
  await module.close();`;

interface Running {
  url: string;
  output(): string;
  stop(): Promise<unknown>;
}

describe('pages for an app that has things already', () => {
  let folder: string;
  beforeAll(() => {
    mkdirSync(join(root, 'dist'), { recursive: true });
    folder = mkdtempSync(join(root, 'dist/existing-app-'));
    const compile = (name: string, text: string): void =>
      writeFileSync(
        join(folder, name),
        ts.transpileModule(text, {
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            experimentalDecorators: true,
            emitDecoratorMetadata: true,
            useDefineForClassFields: false,
          },
        }).outputText,
      );
    compile('guard.js', snippet('isTaskWorkerRoute'));
    compile('middleware.js', snippet('MiddlewareConsumer'));
    compile('prefix.js', snippet("'/crontask'").replace('forRoot({', `forRoot({ workerTokens: ['${TOKEN}'],`));
    compile('main.js', main(true));
    compile('doubled.js', main(false));
    compile('columns.js', snippet('TaskService<VideoTask>'));
    compile('with-columns.js', COLUMNS);
    compile('postgres.js', snippet("type: 'postgres'"));
    compile('on-postgres.js', POSTGRES);
    compile('tests.js', snippet('startTasks'));
    compile('with-tests.js', TESTS);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['docs/getting-started.md', 'docs/zh-CN/getting-started.md'])(
    "%s: has the README's install lines",
    (file) => {
      const page = read(file);
      const lines = [...page.matchAll(/^\| (?:NestJS|MySQL)[^`]*`(.*)`/gm)].map(([, packages]) => packages!);
      const [nest12, nest11, driver] = lines.map((line) => line.split(' '));
      const readme = [...read('README.md').matchAll(/^npm install (@softdd.*)$/gm)].map(([, line]) => line!.split(' '));
      expect(readme.map((line) => line.sort())).toEqual([nest12, nest11].map((line) => [...line!, ...driver!].sort()));
    },
  );

  async function start(file: string, adapter: string): Promise<Running> {
    const child = spawn(process.execPath, [join(folder, file), adapter], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const ended = new Promise((end) => child.once('close', end));
    const url = await new Promise<string>((found, failed) => {
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          output += String(chunk);
          const [, address] = /listening on (\S+)/.exec(output) ?? [];
          if (address) found(address);
        });
      void ended.then(() => failed(new Error(output)));
    });
    return { url, output: () => output, stop: () => (child.kill(), ended) };
  }

  const worksOn = async (adapter: string): Promise<void> => {
    const app = await start('main.js', adapter);
    try {
      const headers = { 'x-user': 'alice' };
      const created = await call('POST', `${app.url}/api/tasks`, { json: { input: 'x', status: 10 }, headers });
      expect(created.body).toMatchObject({ status: 1, data: { input: 'x' } });
      expect((await call('POST', `${app.url}/api/tasks`, { json: { input: 'x' } })).status).toBe(430);
      // Workers have no user.
      const worker = { authorization: `Bearer ${TOKEN}` };
      const claimed = await call('GET', `${app.url}/api/crontask`, { headers: worker });
      expect(claimed.body.data.task.taskId).toBe(created.body.data.taskId);
      expect((await call('GET', `${app.url}/api/crontask`)).status).toBe(430);
      expect(app.output()).not.toContain('global prefix');
    } finally {
      await app.stop();
    }
  };
  it.each(['express'])('has snippets that work together on %s', worksOn);
  itInWhole.each(['fastify'])('has snippets that work together on %s', worksOn);

  itInWhole('is right that the start warns of URIs that have the global prefix twice', async () => {
    const app = await start('doubled.js', 'fastify');
    await app.stop();
    expect(app.output()).toContain(
      "'default' is served at /api/api/tasks, because the app's global prefix 'api' is put before every URI; set " +
        'postTaskUri, getTaskListUri, postTaskListUri, getTaskEventsUri, deleteTaskUri, getTaskUri, putTaskUri, getCronTaskUri, putCronTaskUri without it ' +
        "(postTaskUri: '/tasks'), or exclude these routes from the prefix",
    );
  });

  const runHere = (file: string, environment = {}) => run(process.execPath, [join(folder, file)], environment);

  // Each is an app in a process of its own: in `npm run test:all`.
  itInWhole('has a task with columns of the reader, and a service of its type', async () => {
    expect(await runHere('with-columns.js')).toEqual({ code: 0, stdout: 'Holidays\n', stderr: '' });
  });

  itInWhole('has tests on SQLite in memory', async () => {
    expect(await runHere('with-tests.js')).toEqual({ code: 0, stdout: 'x\n', stderr: '' });
  });

  describeOn('postgres')('on %s', (engine) => {
    itInWhole('has a data source', async () => {
      const database = await createDatabase(engine);
      const ended = await runHere('on-postgres.js', { DATABASE_URL: database.url });
      await database.drop();
      expect(ended).toEqual({ code: 0, stdout: 'x\n', stderr: '' });
    });
  });
});
