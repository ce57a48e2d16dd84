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

/** Milliseconds in which a request must arrive completely. Fastify's default is no limit. */
const REQUEST_TIMEOUT = 120_000;
/** Milliseconds that running requests have when the server stops: less than orchestrators wait. */
const DRAIN_TIMEOUT = 25_000;

/** Milliseconds for which a start may hold back its logs. */
const HOLD_BACK = 8000;

/** Starts the standalone server. Resolves when it listens. */
export async function serve(config: ServerConfig): Promise<void> {
  const secrets = loadSecrets(config);
  const app = await createApp(config, secrets);
  serveDocs(app);
  await listen(app, config);
  stopOnSignals(app);
  // Not earlier, because tokens are shown once, by the first start that succeeds.
  keepSecrets(config, secrets);
  Logger.flush();
  const logger = new Logger('Server');
  const url = (await app.getUrl()).replace('[::1]', 'localhost');
  logger.log(`listening on ${url}, database ${withoutPassword(config.databaseUrl)}`);
  if (!inProduction()) process.stdout.write(await banner(url, secrets, config));
  // Tokens must not go to a log.
  else if (Object.values(secrets.made).includes(true))
    logger.log(
      `created secrets, kept in ${secretsFile(config)}: the tokens of workers and operators are there, and npm run token -- alice prints a user token`,
    );
}

export async function createApp(config: ServerConfig, secrets: Secrets): Promise<NestFastifyApplication> {
  // A start that takes longer has a reason that the operator must see.
  const holdBack = setTimeout(() => Logger.flush(), HOLD_BACK);
  const app = await connecting(config, () =>
    NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot(config, secrets),
      // Fastify answers 404 for a path parameter of more than 100 characters. With the limit raised, ours answers
      // NOT_FOUND.
      new FastifyAdapter({ routerOptions: { maxParamLength: 16_384 }, requestTimeout: REQUEST_TIMEOUT }),
      // Logs are held back until the server listens, so that a failed start says why in one line.
      { abortOnError: false, logger: new ServerLogger(), bufferLogs: true, autoFlushLogs: false },
    ),
  ).finally(() => clearTimeout(holdBack));
  if (config.corsOrigins.length > 0)
    app.enableCors({
      origin: config.corsOrigins.includes('*') ? '*' : config.corsOrigins,
      methods: 'GET,POST,PUT,DELETE',
      exposedHeaders: 'Retry-After,X-Task-Ignored',
    });
  return app;
}

async function listen(app: NestFastifyApplication, { host, port }: ServerConfig): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    const { code, message } = error as { code?: string; message: string };
    if (code === 'EADDRINUSE') throw new ConfigError('PORT', port, `it is in use on ${host}; use another port`);
    if (code === 'EACCES') throw new ConfigError('PORT', port, 'this user may not listen on it; use a port above 1023');
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new ConfigError(
        'HOST',
        host,
        `it must be an address of this machine such as 127.0.0.1 or 0.0.0.0 (${message})`,
      );
    throw error;
  }
}

/** Drains at the first signal: no new requests, and running ones finish. A second signal ends the process at once. */
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
