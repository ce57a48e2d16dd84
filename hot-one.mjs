// args: engine on|off loops perLoop [seconds]
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { createRequire } from 'node:module';
const root = process.env.ROOT ?? '/work/wt/hot';
const { getTaskServiceToken, TASK_STATUS, TaskModule } = await import(root + '/dist/src/index.js');
const require = createRequire(import.meta.url);
const [engine, on, n = '12000'] = process.argv.slice(2);
const db = { sqlite: { type: 'better-sqlite3', database: ':memory:', driver: require('libsql') },
 pg: { type: 'postgres', url: 'postgres://postgres@127.0.0.1:5432/hot', poolSize: 10 },
 maria: { type: 'mysql', url: 'mysql://root@127.0.0.1:3306/hot', poolSize: 10 } }[engine];
if (engine === 'sqlite') { const fs = await import('node:fs'); const f = '/tmp/hot/db-' + process.pid + '.db'; db.database = f; }
const extra = on === 'on' ? { metrics: true } : {};
class A {}
Module({ imports: [TypeOrmModule.forRoot({ ...db, autoLoadEntities: true }), TaskModule.forRoot({ userId: () => 'b', cronGuards: [], migrate: true, ...extra })] })(A);
const app = await NestFactory.createApplicationContext(A, { logger: ['error', 'fatal'] });
const tasks = app.get(getTaskServiceToken());
const input = 'x'.repeat(200);
async function one() {
  await tasks.create({ userId: 'b', input, status: 10 });
  const [c] = await tasks.claim({ service: 'default', limit: 1, workerId: 'w' });
  if (c) await tasks.report(c.taskId, { leaseToken: c.leaseToken, status: 30, output: 'done' });
}
async function round(total) {
  let left = total;
  await Promise.all(Array.from({ length: 50 }, async () => { while (left-- > 0) await one(); }));
}
await round(3000);
const c = process.cpuUsage(); const t = performance.now();
await round(Number(n));
const d = process.cpuUsage(c);
console.log(engine, on, ((d.user + d.system) / n).toFixed(1), 'us cpu,', (n / ((performance.now() - t) / 1000)).toFixed(0), '/s');
await app.close(); process.exit(0);
