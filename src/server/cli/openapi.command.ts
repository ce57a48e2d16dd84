import { writeFile } from 'node:fs/promises';
import { readConfig } from '../config.js';
import { buildDocument } from '../docs.js';
import { createApp } from '../serve.js';
import type { Command } from './command.js';

/** `npm run openapi [-- file]`: writes the OpenAPI document of the standalone server. */
export const openapi: Command = async ([file = 'openapi.json']) => {
  const config = readConfig({ DATABASE_URL: 'sqlite::memory:' });
  const secrets = {
    jwtSecret: 'x'.repeat(32),
    workerTokens: ['x'.repeat(16)],
    operatorTokens: ['o'.repeat(16)],
    made: { jwtSecret: false, workerTokens: false, operatorTokens: false },
  };
  const app = await createApp(config, secrets);
  await app.init();
  await writeFile(file, `${JSON.stringify(buildDocument(app, 'http://127.0.0.1:3000'), null, 2)}\n`);
  await app.close();
  return { lines: [`wrote ${file}`] };
};
