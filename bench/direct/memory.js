import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { softdd } from '../contenders/softdd.js';

/** `node direct/memory.js <url> <tasks>`: the process's size after a tenth of so many tasks, and after all, in MB. */
const [url, given] = process.argv.slice(2);
const total = Number(given);
const SIZE = 100;
class AppModule {}
Module(softdd.module(url))(AppModule);
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'fatal'] });
const { create, claim, finish } = await softdd.calls(app);
const inputs = Array(SIZE).fill('x'.repeat(200));
const sizes = [];
for (let done = 0; done < total;) {
  await create(inputs);
  const claimed = await claim(SIZE);
  await finish(claimed);
  done += claimed.length;
  if (done === total / 10 || done === total) {
    global.gc();
    sizes.push(process.memoryUsage().rss / 1e6);
  }
}
await app.close();
process.send({ sizes }, () => process.exit(0));
