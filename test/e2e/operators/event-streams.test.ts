import { expect, it } from '@jest/globals';
import { userToken } from '../../../src/server/secrets.js';
import { openStream } from '../../support/event-stream.js';
import { startServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const TASK_JWT_SECRET = 'a-secret-of-at-least-32-bytes-in-length';

it('an event stream ends when its token expires, and when the server is told to stop, which exits with 0', async () => {
  const server = await startServer({ TASK_JWT_SECRET });
  const open = async (lifetime: string) => {
    const authorization = `Bearer ${await userToken(TASK_JWT_SECRET, 'alice', lifetime)}`;
    return openStream(`${server.url}/api/tasks/events?service=s`, { authorization });
  };
  const [brief, long] = [await open('3s'), await open('1h')];
  await Promise.all([brief, long].map((stream) => stream.synced()));
  await until('the token has expired', () => brief.isOver);
  expect(long.isOver).toBe(false);
  expect(await server.stop()).toBe(0);
  await until('the end', () => long.isOver);
});
