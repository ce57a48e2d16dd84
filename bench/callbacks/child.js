import 'reflect-metadata';
import { Agent } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import axios from 'axios';
import { TASK_STATUS, TaskModule, TaskService } from '../../dist/src/index.js';
import { dataSourceOptions } from '../contenders/softdd.js';

/**
 * `node callbacks/child.js <url> <receiver> <count> <concurrency>`: ends so many tasks, and then, in turn, lets their
 * callbacks be delivered and POSTs the same bodies by plain axios, as many at once.
 */
const [url, receiver, given, concurrency] = process.argv.slice(2);
const count = Number(given);
const { BEGIN, FINISHED } = TASK_STATUS;

const open = async (options) => {
  class AppModule {}
  const imports = [
    TypeOrmModule.forRoot({ ...dataSourceOptions(url), autoLoadEntities: true }),
    TaskModule.forRoot({
      cronGuards: [],
      callbackUrl: receiver,
      callbackSecret: `whsec_${Buffer.alloc(32).toString('base64')}`,
      ...options,
    }),
  ];
  const app = await NestFactory.createApplicationContext(
    { module: AppModule, imports },
    { logger: ['error', 'fatal'] },
  );
  return { app, tasks: app.get(TaskService) };
};

const bodies = await endTasks();
const ours = await deliver();
const theirs = await post(bodies);
process.send({ ours: count / ours, theirs: count / theirs }, () => process.exit(0));

async function endTasks() {
  const { app, tasks } = await open({ dispatchCallbacks: false });
  for (let ended = 0; ended < count; ended += 100) {
    await tasks.createMany(Array(100).fill({ userId: 'bench', input: 'x'.repeat(200), status: BEGIN }));
    const claimed = await tasks.claim({ service: 'default', limit: 100, workerId: 'bench' });
    await Promise.all(
      claimed.map(({ taskId, leaseToken }) => tasks.report(taskId, { leaseToken, status: FINISHED, output: 'done' })),
    );
  }
  const rows = await tasks.dataSource.query('SELECT body FROM tasks_callbacks');
  if (rows.length !== count) throw new Error(`${rows.length} callbacks of ${count} tasks`);
  await app.close();
  return rows.map(({ body }) => body);
}

/** Seconds from the first POST until every outcome is in the database. */
async function deliver() {
  const first = new Promise((resolve) => process.once('message', resolve));
  const { app, tasks } = await open({});
  await first;
  const start = performance.now();
  for (;;) {
    const { delivered, dead } = await tasks.callbacks.counts();
    if (dead > 0) throw new Error(`${dead} callbacks are dead`);
    if (delivered === count) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const seconds = (performance.now() - start) / 1000;
  await app.close();
  return seconds;
}

async function post(all) {
  const httpAgent = new Agent({ keepAlive: true });
  const headers = { 'content-type': 'application/json' };
  const start = performance.now();
  await Promise.all(
    Array.from({ length: Number(concurrency) }, async () => {
      for (let body = all.pop(); body !== undefined; body = all.pop())
        await axios.post(receiver, Buffer.from(body), { headers, httpAgent, proxy: false });
    }),
  );
  return (performance.now() - start) / 1000;
}
