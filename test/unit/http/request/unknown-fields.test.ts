import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../../support/answers.js';
import type { Answer } from '../../../support/http.js';
import { EVERYTHING, videoMigrations } from '../../../support/swapped.js';
import { ADAPTERS, type Host, startHost } from '../../../support/host.js';

const ignored = (answer: Answer) => answer.headers.get('x-task-ignored');

describe.each(ADAPTERS)('fields that are no parameters, with %s', (adapter) => {
  let host: Host;
  let strict: Host;
  beforeAll(async () => {
    host = await startHost({ engine: 'sqlite', adapter });
    strict = await startHost({ engine: 'sqlite', adapter, options: { strictFields: true } });
  });
  afterAll(() => Promise.all([host?.close(), strict?.close()]));

  it('are ignored, and named in a header', async () => {
    const path = '/api/tasks';
    const said = { input: 'in', stauts: '10', _token: 'x', idempotencyKey: 'k' };
    for (const how of [{ json: said }, { form: said }, { multipart: said }]) {
      const answer = await host.user('alice', 'POST', path, how);
      expect(dataOf(answer)).toMatchObject({ input: 'in', status: 0 });
      expect(ignored(answer)).toBe('stauts, _token, idempotencyKey');
    }
    const list = [
      { input: 'a', x: 1 },
      { input: 'b', x: 1, y: 2 },
    ];
    expect(ignored(await host.user('alice', 'POST', path, { json: list }))).toBe('x, y');
    expect(ignored(await host.user('alice', 'GET', path, { query: { pagenum: 1, page: 1 } }))).toBe('pagenum');
    expect(ignored(await host.user('alice', 'POST', `${path}/list`, { json: { pagenum: 1 } }))).toBe('pagenum');
    expect(ignored(await host.user('alice', 'POST', path, { json: { ids: ['a'], idds: 1, _method: 'DELETE' } }))).toBe(
      'idds',
    );
    expect(ignored(await host.worker('GET', '/api/crontask', { query: { servise: 'a', service: 'none' } }))).toBe(
      'servise',
    );
    const reports = [{ taskId: 'a', stauts: 30 }, { taskId: 'b', stauts: 30, 'o u t\r\n': 1 }, 7];
    expect(ignored(await host.worker('PUT', '/api/crontask', { json: { reports } }))).toBe('stauts, o_u_t__');
    const wrong = await host.user('alice', 'POST', path, { json: { inptu: 'in' } });
    expectFailure(wrong, 'INVALID_PARAM', ['input', 'isDefined']);
    expect(ignored(wrong)).toBe('inptu');
  });

  it('are no matter where there are none, and bounded where there are many', async () => {
    const headers = { 'idempotency-key': 'k', 'lease-token': 't' };
    for (const target of [host, strict])
      expect(ignored(await target.user('alice', 'POST', '/api/tasks', { json: { input: 'in' }, headers }))).toBeNull();
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${n}${'é'.repeat(1000)}`, n]));
    const answer = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', ...many } });
    expect(ignored(answer)!.split(', ')).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(64, '_')));
    const refused = await strict.user('alice', 'POST', '/api/tasks', { json: { input: 'in', ...many } });
    expect([refused.status, refused.body.data.detail.length]).toEqual([400, 20]);
    expect(refused.text.length).toBeLessThan(20_000);
  });

  it('are refused by option strictFields, with what was meant', async () => {
    const refusal = async (answer: Promise<Answer>, field: string, remedy: string) => {
      const given = await answer;
      expectFailure(given, 'INVALID_PARAM', [field, 'unknown']);
      expect(given.body.data.detail[0].msg).toBe(`${field} is no parameter of this route; ${remedy}`);
    };
    const post = (json: unknown) => strict.user('alice', 'POST', '/api/tasks', { json });
    await refusal(post({ input: 'in', stauts: 10 }), 'stauts', 'did you mean status?');
    await refusal(post([{ input: 'in' }, { inptu: 'in' }]), '[1].inptu', 'did you mean input?');
    await refusal(
      post({ input: 'in', idempotencyKey: 'k' }),
      'idempotencyKey',
      'send it as the header Idempotency-Key',
    );
    await refusal(
      strict.worker('GET', '/api/crontask', { query: { color: 'red' } }),
      'color',
      'leave it out; the parameters are service, group, taskId, lease, limit, wait, workerId',
    );
    const { taskId } = await strict.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    await refusal(
      strict.user('alice', 'PUT', `/api/tasks/${taskId}`, { json: { arg: 'x' } }),
      'arg',
      'did you mean args?',
    );
    const claimed = dataOf(await strict.worker('POST', '/api/crontask', { json: { taskId } }));
    const reports = [
      { taskId, leaseToken: claimed.leaseToken, ouput: 'x' },
      { taskId, leaseToken: claimed.leaseToken, status: 30 },
    ];
    const { list } = dataOf(await strict.worker('PUT', '/api/crontask', { json: { reports } }));
    expect(list[0].data.detail[0]).toMatchObject({ field: 'ouput', rule: 'unknown' });
    expect(list[1]).toMatchObject({ status: 1, data: { task: { status: 30 } } });
  });
});

it('are refused by routes that change many things, or settings', async () => {
  const token = 'operator-token-of-ours-0123';
  const options = { operatorTokens: [token], batchUri: '/api/batches' };
  const host = await startHost({ engine: 'sqlite', adapter: 'express', options });
  const headers = { authorization: `Bearer ${token}` };
  const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in' });
  const all = { action: 'delete', filter: {}, all: true };
  const { batchId } = await host.tasks.batches.create({ tasks: [] }, { userId: 'alice' });
  const bulk = await host.tasks.bulks.start({ ...all, action: 'cancel' }, { userId: 'alice' });
  const changes: [method: string, path: string, json: object, field: string][] = [
    ['PUT', '/operator/services/render', { maxRuning: 4 }, 'maxRuning'],
    ['PUT', '/operator/services/render', { weight: 3 }, 'weight'],
    ['PUT', `/operator/tasks/${taskId}`, { prioriy: 3 }, 'prioriy'],
    ['PUT', `/operator/batches/${batchId}`, { staus: -20 }, 'staus'],
    ['POST', '/operator/callbacks/replay', { origins: 'https://example.com' }, 'origins'],
    ['POST', '/operator/bulk', { ...all, dryrun: true }, 'dryrun'],
    ['POST', '/tasks/bulk', { ...all, dryrun: true }, 'dryrun'],
    ['PUT', `/tasks/bulk/${bulk.bulkId}`, { abrot: true }, 'abrot'],
  ];
  for (const [method, path, json, field] of changes) {
    const answer = await host.user('alice', method, `/api${path}`, { json, headers });
    expectFailure(answer, 'INVALID_PARAM', [field, 'unknown']);
  }
  expect((await host.user('alice', 'GET', '/api/operator/tasks?staus=1', { headers })).status).toBe(200);
  await host.close();
});

it("know a host's own, too", async () => {
  const options = { ...EVERYTHING, strictFields: true };
  const headers = { 'x-key': 'open', 'x-owner': 'alice' };
  const host = await startHost({ engine: 'sqlite', adapter: 'fastify', options, typeorm: videoMigrations() });
  const create = (more: object) =>
    host.user('alice', 'POST', EVERYTHING.postTaskUri!, { json: { input: 'in', ...more }, headers });
  const known = await create({ title: 'x' });
  expect([known.status, ignored(known)]).toEqual([200, null]);
  const unknown = await create({ titel: 'x' });
  expect([unknown.status, unknown.text.includes('did you mean title?')]).toEqual([
    EVERYTHING.error!.INVALID_PARAM.httpCode,
    true,
  ]);
  await host.close();
});
