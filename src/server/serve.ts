import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { banner } from './banner.js';
import type { ServerConfig } from './config.js';
import { withoutPassword } from './database.js';
import { serveDocs } from './docs.js';
import { ConfigError } from './failure.js';
import { ServerLogger } from './logger.js';
import { loadSecrets, type Secrets } from './secrets.js';

/** Starts the standalone server; resolves when it listens. */
export async function serve(config: ServerConfig): Promise<void> {
  const secrets = loadSecrets(config);
  const app = await createApp(config, secrets);
  serveDocs(app);
  await listen(app, config);
  stopOn(app, 'SIGTERM');
  stopOn(app, 'SIGINT');
  const url = (await app.getUrl()).replace('[::1]', 'localhost');
  new Logger('Server').log(`listening on ${url}, database ${withoutPassword(config.databaseUrl)}`);
  process.stdout.write(await banner(url, secrets));
}

export async function createApp(config: ServerConfig, secrets: Secrets): Promise<NestFastifyApplication> {
  const app = await connecting(config, () =>
    NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot(config, secrets),
      // Fastify takes a path parameter over 100 characters for a path that isn't there; ours answers NOT_FOUND itself.
      new FastifyAdapter({ routerOptions: { maxParamLength: 2000 } }),
      { abortOnError: false, logger: new ServerLogger() },
    ),
  );
  if (config.corsOrigins.length > 0)
    app.enableCors({
      origin: config.corsOrigins.includes('*') ? '*' : config.corsOrigins,
      methods: 'GET,POST,PUT,DELETE',
    });
  return app;
}

/** A database that can't be reached is a matter of DATABASE_URL. */
export async function connecting<T>({ databaseUrl }: ServerConfig, connect: () => Promise<T>): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    if (!isDriverError(error)) throw error;
    const { message, code, errors } = error as { message: string; code?: string; errors?: Error[] };
    const why = message || errors?.map((inner) => inner.message).join('; ') || code;
    throw new ConfigError('DATABASE_URL', withoutPassword(databaseUrl), `the database can't be used: ${why}`);
  }
}

const isDriverError = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof AggregateError || 'errno' in error || 'code' in error || 'driverError' in error);

async function listen(app: NestFastifyApplication, { host, port }: ServerConfig): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    const { code, message } = error as { code?: string; message: string };
    if (code === 'EADDRINUSE') throw new ConfigError('PORT', port, `it is in use on ${host}; give another`);
    if (code === 'EACCES') throw new ConfigError('PORT', port, 'this user may not listen there; give one above 1023');
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new ConfigError(
        'HOST',
        host,
        `it must be an address of this machine, as 127.0.0.1 or 0.0.0.0 (${message})`,
      );
    throw error;
  }
}

/** Drains: no new requests, those in flight finish. A second signal ends it at once. */
function stopOn(app: NestFastifyApplication, signal: NodeJS.Signals): void {
  process.once(signal, () => {
    const logger = new Logger('Server');
    logger.log(`${signal}: draining`);
    app.close().then(
      () => {
        logger.log('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error(error);
        process.exit(1);
      },
    );
  });
}
