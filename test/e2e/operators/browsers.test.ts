import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../../support/http.js';
import { type ServerHere, serveHere } from '../../support/server-here.js';

const SECRETS = {
  TASK_JWT_SECRET: 'a-secret-of-at-least-32-bytes-in-length',
  TASK_WORKER_TOKENS: 'a-worker-token-of-ours',
};
const ALLOWED = 'https://app.example.com';
const from = (origin: string): { headers: Record<string, string> } => ({ headers: { origin } });

describe('a server with TASK_CORS_ORIGINS', () => {
  let server: ServerHere;
  beforeAll(async () => {
    server = await serveHere({ ...SECRETS, TASK_CORS_ORIGINS: `${ALLOWED}, http://localhost:5173` });
  });
  afterAll(() => server?.stop());

  it.each([ALLOWED, 'http://localhost:5173'])(
    'lets pages of %s read answers, those of failures too',
    async (origin) => {
      for (const [method, path, status] of [
        ['GET', '/health/live', 200],
        ['GET', '/api/tasks', 430],
        ['POST', '/api/tasks', 430],
      ] as const) {
        const answer = await call(method, server.url + path, {
          ...from(origin),
          ...(method === 'POST' && { raw: '{' }),
        });
        expect(answer.status).toBe(status);
        expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      }
    },
  );

  it('answers their preflights, without a token', async () => {
    const answer = await call('OPTIONS', `${server.url}/api/tasks/some-id`, {
      headers: {
        origin: ALLOWED,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(answer.headers.get('access-control-allow-headers')).toContain('authorization');
  });

  it('lets no other page in', async () => {
    const answer = await call('GET', `${server.url}/api/tasks`, from('https://evil.example.com'));
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a server without it', () => {
  let server: ServerHere;
  beforeAll(async () => {
    server = await serveHere(SECRETS);
  });
  afterAll(() => server?.stop());

  it('lets no page of another origin in', async () => {
    const answer = await call('GET', `${server.url}/api/tasks`, from(ALLOWED));
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});
