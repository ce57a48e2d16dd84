import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CONTENDERS } from '../contenders/index.js';

/** `node http/server.js <contenders> <url>`: contenders behind NestJS and Fastify; tells the parent the port. */
const [names, url] = process.argv.slice(2);

class AppModule {}
const modules = await Promise.all(names.split(',').map((name) => CONTENDERS[name].module(url)));
Module({
  imports: modules.flatMap(({ imports = [] }) => imports),
  controllers: modules.flatMap(({ controllers = [] }) => controllers),
})(AppModule);
const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error', 'fatal'] });
await app.listen(0, '127.0.0.1');
process.send?.({ port: app.getHttpServer().address().port });
process.on('message', async (question) => {
  if (question === 'close') await app.close().finally(() => process.exit(0));
});
process.on('disconnect', () => process.exit(0));
