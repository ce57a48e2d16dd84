import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { userToken } from '../../../src/server/secrets.js';
import { type Answer, call } from '../../support/http.js';
import { type ServerHere, serveHere } from '../../support/server-here.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const WORKER = 'a-worker-token-of-ours';
const key = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text.padEnd(64, '.'));
const signed = (
  claims: Record<string, unknown>,
  alg = 'HS256',
  secret = new TextEncoder().encode(SECRET),
): Promise<string> => new SignJWT(claims).setProtectedHeader({ alg }).sign(secret);
const now = (): number => Math.floor(Date.now() / 1000);

describe('who a user is', () => {
  let server: ServerHere;
  beforeAll(async () => {
    server = await serveHere({ TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER });
  });
  afterAll(() => server?.stop());

  const ask = (
    authorization: string | undefined,
    method = 'GET',
    path = '/api/tasks',
    json?: unknown,
  ): Promise<Answer> =>
    call(method, server.url + path, { json, headers: authorization === undefined ? {} : { authorization } });

  it.each<[string, () => string | undefined | Promise<string | undefined>]>([
    ['no token', () => undefined],
    ['an empty one', () => 'Bearer '],
    ['garbage', () => 'Bearer garbage'],
    ['three parts of garbage', () => 'Bearer a.b.c'],
    ['another scheme', async () => `Basic ${await signed({ sub: 'alice' })}`],
    ['an expired one', async () => `Bearer ${await signed({ sub: 'alice', exp: now() - 1 })}`],
    ['one that is not valid yet', async () => `Bearer ${await signed({ sub: 'alice', nbf: now() + 60 })}`],
    ['one of another secret', async () => `Bearer ${await signed({ sub: 'alice' }, 'HS256', key('another'))}`],
    ['alg none', () => `Bearer ${new UnsecuredJWT({ sub: 'alice' }).encode()}`],
    ['alg HS512', async () => `Bearer ${await signed({ sub: 'alice' }, 'HS512', key(SECRET))}`],
    ['no sub', async () => `Bearer ${await signed({ name: 'alice' })}`],
    ['an empty sub', async () => `Bearer ${await signed({ sub: '' })}`],
    ['a sub that is no text', async () => `Bearer ${await signed({ sub: { id: 'alice' } })}`],
    ['a sub that is a number beyond 2^53', async () => `Bearer ${await signed({ sub: 2 ** 53 })}`],
    ['a changed signature', async () => `Bearer ${(await signed({ sub: 'alice' })).slice(0, -4)}AAAA`],
    ["a worker's token", () => `Bearer ${WORKER}`],
  ])('%s is nobody: 430/10001', async (_, authorization) => {
    const given = await authorization();
    for (const [method, path] of [
      ['GET', '/api/tasks'],
      ['POST', '/api/tasks'],
      ['DELETE', '/api/tasks'],
      ['PUT', '/api/tasks/x'],
    ] as const) {
      const answer = await ask(given, method, path, method === 'GET' ? undefined : { input: 'x' });
      expect([answer.status, answer.body]).toEqual([430, { status: 0, data: { code: 10001, msg: 'invalid token' } }]);
    }
  });

  it('HS512 is refused even where the secret is long enough for it', async () => {
    const long = SECRET.repeat(2);
    const other = await serveHere({ TASK_JWT_SECRET: long, TASK_WORKER_TOKENS: WORKER });
    const bearer = async (alg: string): Promise<{ headers: Record<string, string> }> => ({
      headers: { authorization: `Bearer ${await signed({ sub: 'alice' }, alg, new TextEncoder().encode(long))}` },
    });
    const [right, wrong] = [
      await call('GET', `${other.url}/api/tasks`, await bearer('HS256')),
      await call('GET', `${other.url}/api/tasks`, await bearer('HS512')),
    ];
    await other.stop();
    expect([right.status, wrong.status]).toEqual([200, 430]);
  });

  it('says once what is wrong with users of such numbers', async () => {
    await ask(`Bearer ${await signed({ sub: 2 ** 53 })}`);
    expect(
      server.logs.join('\n').match(/cannot represent the number 9007199254740992 exactly .* as a string/g),
    ).toHaveLength(1);
  });

  it("a user's token opens no worker route", async () => {
    const token = `Bearer ${await userToken(SECRET, 'alice')}`;
    expect((await ask(token, 'GET', '/api/crontask')).status).toBe(430);
    expect((await ask(token, 'PUT', '/api/crontask/x', { status: 30 })).status).toBe(430);
  });

  it('users see and touch their own tasks only', async () => {
    const [alice, bob] = [`Bearer ${await userToken(SECRET, 'alice')}`, `Bearer ${await userToken(SECRET, 'ALICE')}`];
    const { taskId } = (await ask(alice, 'POST', '/api/tasks', { input: 'x' })).body.data;
    expect((await ask(bob, 'GET', `/api/tasks/${taskId}`)).body.data.code).toBe(14002);
    expect((await ask(bob, 'PUT', `/api/tasks/${taskId}`, { input: 'y' })).body.data.code).toBe(14001);
    expect((await ask(bob)).body.data.list).toEqual([]);
    expect((await ask(bob, 'DELETE', '/api/tasks', { ids: [taskId] })).body.data.deleted).toEqual([]);
    expect((await ask(alice)).body.data.list).toMatchObject([{ taskId, input: 'x' }]);
  });
});
