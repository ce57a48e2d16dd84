import { writeFile } from 'node:fs/promises';
import { readConfig } from './config.js';
import { buildDocument } from './docs.js';
import { exitWith } from './failure.js';
import { createApp } from './serve.js';

/** `npm run openapi [-- file]`: writes the OpenAPI document of the standalone server. */
try {
  const file = process.argv[2] ?? 'openapi.json';
  const config = readConfig({ DATABASE_URL: 'sqlite::memory:' });
  const secrets = {
    jwtSecret: 'x'.repeat(32),
    workerTokens: ['x'.repeat(16)],
    made: { jwtSecret: false, workerTokens: false },
  };
  const app = await createApp(config, secrets);
  await app.init();
  await writeFile(file, `${JSON.stringify(buildDocument(app, 'http://127.0.0.1:3000'), null, 2)}\n`);
  await app.close();
  process.stdout.write(`wrote ${file}\n`);
} catch (error) {
  exitWith(error);
}
