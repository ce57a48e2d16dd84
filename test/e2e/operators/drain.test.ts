import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { userToken } from '../../../src/server/secrets.js';
import { itInWhole } from '../../support/host.js';
import { call } from '../../support/http.js';
import { type RunningServer, startServer } from '../../support/server.js';
import { serveHere } from '../../support/server-here.js';
import { until } from '../../support/until.js';

const SECRETS = {
  TASK_JWT_SECRET: 'a-secret-of-at-least-32-bytes-in-length',
  TASK_WORKER_TOKENS: 'a-worker-token-of-ours',
};

describe('a server that is told to stop', () => {
  let authorization: string;
  beforeAll(async () => {
    authorization = `Bearer ${await userToken(SECRETS.TASK_JWT_SECRET, 'alice')}`;
  });

  /** A create whose headers the server has taken, and whose body is still to come. */
  async function underWay(server: RunningServer): Promise<{ upload: ClientRequest; answer: Promise<IncomingMessage> }> {
    const headers = { authorization, 'content-type': 'application/json', expect: '100-continue' };
    const upload = request(`${server.url}/api/tasks`, { method: 'POST', headers });
    const answer = new Promise<IncomingMessage>((resolve, reject) =>
      upload.once('response', resolve).once('error', reject),
    );
    answer.catch(() => undefined);
    upload.flushHeaders();
    await new Promise((taken) => upload.once('continue', taken));
    upload.write('{"input":');
    return { upload, answer };
  }

  const refused = (server: RunningServer): Promise<boolean> =>
    fetch(`${server.url}/health/live`, { headers: { connection: 'close' } }).then(
      () => false,
      (error: Error) => (error.cause as { code?: string }).code === 'ECONNREFUSED',
    );

  async function drains(signal: NodeJS.Signals): Promise<void> {
    const server = await startServer(SECRETS);
    const { upload, answer } = await underWay(server);
    const stopped = server.stop(signal);
    await until('new connections are refused', () => refused(server));
    upload.end('"slow"}');
    const { statusCode } = await answer.then((response) => response.resume());
    expect(statusCode).toBe(200);
    expect(await stopped).toBe(0);
    expect(server.output()).toContain(`${signal}: draining`);
    if (signal === 'SIGINT') return;
    const again = await serveHere({ ...SECRETS, DATABASE_URL: `sqlite:${server.folder}/data/task.sqlite` });
    const { body } = await call('GET', `${again.url}/api/tasks`, { headers: { authorization } });
    await again.stop();
    expect(body.data.list).toMatchObject([{ input: 'slow' }]);
  }
  const NAME = 'by %s takes no new request, finishes those in flight, and exits with 0';
  it.each(['SIGTERM'] as const)(NAME, drains);
  // The other signal takes the same way: in `npm run test:all`.
  itInWhole.each(['SIGINT'] as const)(NAME, drains);

  itInWhole('twice ends at once', async () => {
    const server = await startServer(SECRETS);
    const { upload, answer } = await underWay(server);
    const stopped = server.stop('SIGTERM');
    await until('draining', () => server.output().includes('draining'));
    server.process.kill('SIGINT');
    expect(await stopped).toBe('SIGINT');
    await expect(answer).rejects.toThrow();
    upload.destroy();
  });
});
