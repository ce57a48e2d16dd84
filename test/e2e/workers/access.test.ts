import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TaskModuleOptions } from '../../../src/index.js';
import { dataOf, expectFailure } from '../../support/answers.js';
import { call } from '../../support/http.js';
import { ADAPTERS, type Host, MATRIX, spread, startHost, WORKER_TOKEN } from '../../support/host.js';

const SECOND_TOKEN = 'second-worker-token-0123456789';

/** Tries both worker routes, one of them by both methods, with these headers. */
async function knock(host: Host, taskId: string, headers: Record<string, string>) {
  const report = { headers, json: { status: 30, output: 'out' } };
  return [
    await call('GET', `${host.url}/api/crontask`, { headers }),
    await call('PUT', `${host.url}/api/crontask/${taskId}`, report),
    await call('POST', `${host.url}/api/crontask/${taskId}`, report),
  ];
}

describe.each(spread(import.meta, MATRIX))('who may work on $engine with $adapter', (where) => {
  let host: Host;
  let taskId: string;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { workerTokens: [WORKER_TOKEN, SECOND_TOKEN] } });
    taskId = (await host.tasks.create({ userId: 'alice', input: 'in', status: 10 })).taskId;
  });
  afterAll(() => host?.close());

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['an empty header', { authorization: '' }],
    ['a scheme alone', { authorization: 'Bearer' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['a token without its scheme', { authorization: WORKER_TOKEN }],
    ['another scheme', { authorization: `Basic ${WORKER_TOKEN}` }],
    ['a part of a token', { authorization: `Bearer ${WORKER_TOKEN.slice(0, -1)}` }],
    ['a token with more behind it', { authorization: `Bearer ${WORKER_TOKEN}0` }],
    ['a token in other letters', { authorization: `Bearer ${WORKER_TOKEN.toUpperCase()}` }],
    ['two tokens', { authorization: `Bearer ${WORKER_TOKEN} ${SECOND_TOKEN}` }],
    ['a list of tokens', { authorization: `Bearer ${WORKER_TOKEN},${SECOND_TOKEN}` }],
    ['a token in another header', { 'x-authorization': `Bearer ${WORKER_TOKEN}` }],
    ["a user's credentials", { 'x-user': 'alice' }],
  ])('%s opens no worker route', async (_, headers) => {
    for (const answer of await knock(host, taskId, headers)) expectFailure(answer, 'INVALID_TOKEN');
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, attempts: 0 });
  });

  it('a token in the query or the body opens no worker route', async () => {
    for (const name of ['token', 'access_token', 'authorization']) {
      const query = { [name]: WORKER_TOKEN };
      expectFailure(await call('GET', `${host.url}/api/crontask`, { query }), 'INVALID_TOKEN');
      expectFailure(await call('PUT', `${host.url}/api/crontask/${taskId}`, { json: query }), 'INVALID_TOKEN');
    }
  });

  it("a worker's token opens no user route", async () => {
    const headers = { authorization: `Bearer ${WORKER_TOKEN}` };
    const routes = [
      ['POST', '/api/tasks'],
      ['GET', '/api/tasks'],
      ['DELETE', '/api/tasks'],
      ['GET', `/api/tasks/${taskId}`],
      ['PUT', `/api/tasks/${taskId}`],
      ['POST', `/api/tasks/${taskId}`],
    ] as const;
    for (const [method, path] of routes) {
      const body = method === 'GET' ? {} : { json: { input: 'x', ids: [taskId] } };
      expectFailure(await call(method, host.url + path, { headers, ...body }), 'INVALID_TOKEN');
    }
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, input: 'in' });
  });

  it('says who may not come in before it says what is wrong with the input', async () => {
    const query = { service: 'x'.repeat(65) };
    expectFailure(await call('GET', `${host.url}/api/crontask`, { query }), 'INVALID_TOKEN');
    const raw = { raw: '{', headers: { 'content-type': 'application/json' } };
    expectFailure(await call('PUT', `${host.url}/api/crontask/${taskId}`, raw), 'INVALID_TOKEN');
    expectFailure(await call('POST', `${host.url}/api/tasks`, raw), 'INVALID_TOKEN');
  });

  it('each of the tokens opens them, under any spelling of the scheme', async () => {
    for (const authorization of [`Bearer ${WORKER_TOKEN}`, `bearer ${SECOND_TOKEN}`, `BEARER  ${WORKER_TOKEN} `])
      for (const answer of await knock(host, taskId, { authorization })) dataOf(answer);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 30, output: 'out', attempts: 1 });
  });
});

/** A guard of a host's own. */
class DoorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers['x-door'] === 'open';
  }
}

describe.each(ADAPTERS)('the guards of the worker routes with %s', (adapter) => {
  const TOKEN = { authorization: `Bearer ${WORKER_TOKEN}` };
  const DOOR = { 'x-door': 'open' };

  async function withHost(options: TaskModuleOptions, test: (host: Host, taskId: string) => Promise<void>) {
    const host = await startHost({ engine: 'sqlite', adapter, options });
    try {
      const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
      await test(host, taskId);
    } finally {
      await host.close();
    }
  }

  it('let nobody in while there are neither workerTokens nor cronGuards', () =>
    withHost({ workerTokens: [] }, async (host, taskId) => {
      const tried: Record<string, string>[] = [{}, TOKEN, { authorization: 'Bearer ' }, { 'x-user': 'alice' }];
      for (const headers of tried)
        for (const answer of await knock(host, taskId, headers)) expectFailure(answer, 'INVALID_TOKEN');
      expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, attempts: 0 });
    }));

  it('let everybody in by an explicit cronGuards: []', () =>
    withHost({ workerTokens: [], cronGuards: [] }, async (host, taskId) => {
      for (const answer of await knock(host, taskId, {})) dataOf(answer);
      expect(await host.tasks.get(taskId)).toMatchObject({ status: 30, attempts: 1 });
    }));

  it('ask for a token, where there are some, beside cronGuards: []', () =>
    withHost({ cronGuards: [] }, async (host, taskId) => {
      for (const answer of await knock(host, taskId, {})) expectFailure(answer, 'INVALID_TOKEN');
      for (const answer of await knock(host, taskId, TOKEN)) dataOf(answer);
    }));

  it("are a host's own, alone", () =>
    withHost({ workerTokens: [], cronGuards: [DoorGuard] }, async (host, taskId) => {
      for (const headers of [{}, TOKEN])
        for (const answer of await knock(host, taskId, headers)) {
          expect(answer.status).toBe(430);
          expect(answer.body).toMatchObject({ status: 0, data: { code: 14002 } });
        }
      for (const answer of await knock(host, taskId, DOOR)) dataOf(answer);
    }));

  it("are a host's own and a token, where there are both", () =>
    withHost({ cronGuards: [new DoorGuard()] }, async (host, taskId) => {
      for (const answer of await knock(host, taskId, DOOR)) expectFailure(answer, 'INVALID_TOKEN');
      for (const answer of await knock(host, taskId, TOKEN)) expect(answer.body.data.code).toBe(14002);
      for (const answer of await knock(host, taskId, { ...DOOR, ...TOKEN })) dataOf(answer);
    }));
});
