import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { softdd } from '../contenders/softdd.js';

/** `node direct/claims.js <url> <claims>`: claims tasks one by one; tells the median time of a claim in milliseconds. */
const [url, count] = process.argv.slice(2);
class AppModule {}
Module(softdd.module(url))(AppModule);
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'fatal'] });
const { claim } = await softdd.calls(app);
const times = [];
for (let done = -Number(count) / 2; done < Number(count); done++) {
  const start = performance.now();
  const [task] = await claim(1);
  if (!task) throw new Error('there was nothing to claim');
  if (done >= 0) times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
await app.close();
process.send({ p50: times[times.length >> 1] }, () => process.exit(0));
