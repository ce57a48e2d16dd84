import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { banner } from './banner.js';
import type { ServerConfig } from './config.js';
import { connecting } from './connecting.js';
import { withoutPassword } from './database.js';
import { serveDocs } from './docs.js';
import { ConfigError } from './failure.js';
import { inProduction, ServerLogger } from './logger.js';
import { keepSecrets, loadSecrets, type Secrets, secretsFile } from './secrets.js';

/** Milliseconds in which a request must have come in whole; Fastify's default is for ever. */
const REQUEST_TIMEOUT = 120_000;
/** Milliseconds that requests in flight have to finish when the server stops: less than what orchestrators wait. */
const DRAIN_TIMEOUT = 25_000;

/** Starts the standalone server; resolves when it listens. */
export async function serve(config: ServerConfig): Promise<void> {
  const secrets = loadSecrets(config);
  const app = await createApp(config, secrets);
  serveDocs(app);
  await listen(app, config);
  stopOnSignals(app);
  // Not before: tokens are shown once, by the first start that succeeds.
  keepSecrets(config, secrets);
  Logger.flush();
  const logger = new Logger('Server');
  const url = (await app.getUrl()).replace('[::1]', 'localhost');
  logger.log(`listening on ${url}, database ${withoutPassword(config.databaseUrl)}`);
  const file = config.task.workerTokens?.length ? undefined : secretsFile(config);
  if (!inProduction()) process.stdout.write(await banner(url, secrets, file));
  // A log goes to places that no token should be seen in.
  else if (secrets.made.jwtSecret || secrets.made.workerTokens)
    logger.log(
      `secrets made, kept in ${secretsFile(config)}: the worker token is there, and npm run token -- alice prints a user token`,
    );
}

export async function createApp(config: ServerConfig, secrets: Secrets): Promise<NestFastifyApplication> {
  const app = await connecting(config, () =>
    NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot(config, secrets),
      // Fastify takes a path parameter over 100 characters for a path that isn't there; ours answers NOT_FOUND itself.
      new FastifyAdapter({ routerOptions: { maxParamLength: 16_384 }, requestTimeout: REQUEST_TIMEOUT }),
      // Logs are held back until it listens: a start that fails says why in one line.
      { abortOnError: false, logger: new ServerLogger(), bufferLogs: true, autoFlushLogs: false },
    ),
  );
  if (config.corsOrigins.length > 0)
    app.enableCors({
      origin: config.corsOrigins.includes('*') ? '*' : config.corsOrigins,
      methods: 'GET,POST,PUT,DELETE',
    });
  return app;
}

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

/** Drains at the first signal: no new requests, those in flight finish. The second ends the process at once. */
function stopOnSignals(app: NestFastifyApplication): void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const stop = (signal: NodeJS.Signals): void => {
    for (const each of signals) process.removeListener(each, stop);
    const logger = new Logger('Server');
    logger.log(`${signal}: draining`);
    setTimeout(() => app.getHttpServer().closeAllConnections(), DRAIN_TIMEOUT).unref();
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
  };
  for (const signal of signals) process.on(signal, stop);
}
