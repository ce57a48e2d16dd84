import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CONTENDERS } from '../contenders/index.js';

/** `node direct/child.js <contender> <url> <tasks>`: creates tasks in batches of 100, then works them off. */
const [name, url, given] = process.argv.slice(2);
const total = Number(given);
const contender = CONTENDERS[name];
const SIZE = 100;
const PRODUCERS = 4;

const { calls, close } = await open();
const inputs = Array(SIZE).fill('x'.repeat(200));
await mark('begin');
const start = performance.now();
await times(PRODUCERS, async () => {
  for (let made = 0; made < total / PRODUCERS; made += SIZE) await calls.create(inputs);
});
await contender.analyze?.(url);
const done = calls.workOff ? await calls.workOff(total) : await workOff();
const seconds = (performance.now() - start) / 1000;
await mark('end');
await close();
process.send({ rate: total / seconds, done, rss: process.memoryUsage().rss }, () => process.exit(0));

async function open() {
  if (contender.open) {
    const opened = await contender.open(url);
    return { calls: opened, close: opened.close };
  }
  class AppModule {}
  Module(contender.module(url))(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'fatal'] });
  return { calls: await contender.calls(app), close: () => app.close() };
}

async function workOff() {
  const seen = new Set();
  await times(PRODUCERS, async () => {
    for (;;) {
      const claimed = await calls.claim(SIZE);
      if (claimed.length === 0) return;
      for (const { taskId } of claimed) {
        if (seen.has(taskId)) throw new Error(`${taskId} was handed out twice`);
        seen.add(taskId);
      }
      await calls.finish(claimed);
    }
  });
  return seen.size;
}

function times(count, work) {
  return Promise.all(Array.from({ length: count }, work));
}

/** The parent reads the processor time meanwhile. */
function mark(name) {
  process.send({ mark: name });
  return new Promise((resolve) => process.once('message', resolve));
}
