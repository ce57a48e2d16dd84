import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { userToken } from '../../src/server/secrets.js';
import { WORKER_TOKEN } from '../support/host.js';
import { run, startServer } from '../support/server.js';

const FOLDER = resolve(import.meta.dirname ?? 'test/client', '../../clients/python');
const SECRET = 'a-secret-of-at-least-32-bytes-in-length';

it('clients/python passes its own tests against a real server', async () => {
  const server = await startServer({ TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER_TOKEN });
  const environment = {
    SOFTDD_TASK_URL: server.url,
    SOFTDD_TASK_USER_TOKEN: await userToken(SECRET, 'alice'),
    SOFTDD_TASK_WORKER_TOKEN: WORKER_TOKEN,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { code, stderr } = await run('python3', ['-W', 'error', '-m', 'unittest'], environment, FOLDER, 240);
  await server.stop();
  expect([code, stderr]).toEqual([0, expect.stringMatching(/Ran [6-9]\d tests in .*\n\nOK\n$/)]);
}, 270_000);
