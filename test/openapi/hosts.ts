import type { INestApplication } from '@nestjs/common';
import { TaskModule, type TaskModuleOptions } from '../../src/index.js';
import { readConfig } from '../../src/server/config.js';
import { createApp } from '../../src/server/serve.js';
import { EVERYTHING, videoMigrations } from '../host/swapped.js';
import { type Adapter, type Host, startHost } from '../support/host.js';

/** The standalone server's app, on a database in memory. */
export async function standaloneApp(): Promise<INestApplication> {
  const config = readConfig({ DATABASE_URL: 'sqlite::memory:', LOG_LEVEL: 'error' });
  const secrets = {
    jwtSecret: 's'.repeat(32),
    workerTokens: ['w'.repeat(16)],
    made: { jwtSecret: false, workerTokens: false },
  };
  const app = await createApp(config, secrets);
  return app.init();
}

/** Bounds that a test can run into: one task for the user `crowd`, one claim that waits, one origin for callbacks. */
export const BOUNDS = {
  maxActiveTasks: (userId: string) => (userId === 'crowd' ? 1 : undefined),
  maxWaiters: 1,
  callbackAllow: ['http://127.0.0.1:9'],
  deliverCallbacks: false,
} satisfies TaskModuleOptions;

/** A host with everything swapped. */
export const swappedHost = (adapter: Adapter): Promise<Host> =>
  startHost({ engine: 'sqlite', adapter, options: { ...EVERYTHING, ...BOUNDS }, typeorm: videoMigrations() });

/** A host with the default registration and, beside it, a second one with everything swapped. */
export const hostOfTwo = (adapter: Adapter): Promise<Host> =>
  startHost({
    engine: 'sqlite',
    adapter,
    imports: [TaskModule.forRoot({ ...EVERYTHING, name: 'video' })],
    typeorm: videoMigrations(),
  });
