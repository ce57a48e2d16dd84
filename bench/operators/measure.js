import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TaskModule, TASK_STATUS } from '../../dist/src/index.js';
import { dataSourceOptions } from '../contenders/softdd.js';
import { createDatabase, query } from '../databases.js';
import { explain } from './explain.js';
import { fill } from './fill.js';
import { named, noteStatements } from './statements.js';

/** `node operators/measure.js <kind> <tasks> <seconds>`: one engine. Tells the parent what it has found. */
const [kind, tasks, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const TOKEN = 'an-operator-of-the-bench';
/** Milliseconds between two looks. */
const INTERVAL = 2000;

const database = await createDatabase(kind);
try {
  const began = performance.now();
  await fill(database.url, tasks);
  const filled = Math.round((performance.now() - began) / 1000);
  process.send({ ...(await look()), version: await version(), filled });
} finally {
  await database.drop();
  process.disconnect();
}

async function version() {
  if (kind === 'sqlite') return `SQLite ${JSON.parse(JSON.stringify(await sqliteVersion()))}`;
  const rows = await query(database.url, 'SELECT version() AS version');
  const { version: text } = rows.flat()[0];
  return kind === 'postgres' ? text.split(' on ')[0] : text.includes('MariaDB') ? text : `MySQL ${text}`;
}

async function sqliteVersion() {
  const { default: Sqlite } = await import('libsql');
  return new Sqlite(':memory:').prepare('SELECT sqlite_version() AS version').get().version;
}

/** An operator looks every 2 s, over HTTP. */
async function look() {
  const sent = noteStatements();
  class AppModule {}
  Module({
    imports: [
      TypeOrmModule.forRoot({ ...dataSourceOptions(database.url), autoLoadEntities: true }),
      TaskModule.forRoot({
        userId: () => 'bench',
        cronGuards: [],
        operatorTokens: [TOKEN],
        callbackUrl: 'https://app.example.com/done',
        dispatchCallbacks: false,
      }),
    ],
  })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: ['error', 'fatal'] });
  app.use((incoming, _, next) => named(incoming.headers['x-look'], next));
  await app.listen(0, '127.0.0.1');
  const base = `${await app.getUrl()}/api/operator`;
  const times = new Map();
  const ask = async (name, path) => {
    const from = performance.now();
    const answer = await fetch(base + path, { headers: { authorization: `Bearer ${TOKEN}`, 'x-look': name } });
    const { data } = await answer.json();
    if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(data)}`);
    times.set(name, [...(times.get(name) ?? []), performance.now() - from]);
    return data;
  };

  const began = performance.now();
  let looks = 0;
  for (; performance.now() - began < seconds * 1000; looks++) {
    await ask('overview', '/overview');
    await ask('services', '/services');
    const { list } = await ask('tasks', '/tasks');
    await ask('a task', `/tasks/${list[looks % list.length].taskId}`);
    await ask('failed tasks of a service', `/tasks?service=captions&status=${TASK_STATUS.ERROR}`);
    await ask('tasks of a user', '/tasks?userId=user-7');
    await ask('tasks that are nowhere', '/tasks?service=no-such-service');
    await ask('stats', '/stats');
    await ask('workers', '/workers');
    await ask('callbacks', '/callbacks?state=dead');
    await pause(Math.max(0, began + (looks + 1) * INTERVAL - performance.now()));
  }
  const took = (performance.now() - began) / 1000;
  await app.close();
  const statements = [...sent.values()];
  const reads = statements.filter(({ for: name, statement }) => name && /^\s*(SELECT|WITH)\b/i.test(statement.sql));
  const explained = await explain(database.url, reads);
  return {
    looks,
    took,
    routes: [...times].map(([name, all]) => {
      const of = explained.filter(({ for: each }) => each === name);
      const sum = (value) => of.reduce((total, each) => total + value(each), 0);
      return {
        name,
        median: median(all),
        worst: Math.max(...all),
        statements: sum(({ count }) => count) / looks,
        rows: of.every(({ rows }) => rows !== undefined) ? sum(({ rows, count }) => rows * count) / looks : undefined,
        scans: of.flatMap(({ scans, statement }) => scans.map((scan) => `${scan}: ${statement.sql}`)),
      };
    }),
    perSecond: {
      looks: statements.reduce((sum, { for: name, count }) => sum + (name ? count : 0), 0) / took,
      background: statements.reduce((sum, { for: name, count }) => sum + (name ? 0 : count), 0) / took,
    },
    different: reads.length,
  };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
