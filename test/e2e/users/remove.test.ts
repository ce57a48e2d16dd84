import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure, INPUT_KINDS, said } from '../../support/answers.js';
import { call, type CallOptions } from '../../support/http.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

describe.each(BATTERY)('DELETE /api/tasks on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const task = async (status = 0, userId = 'alice'): Promise<string> =>
    (await host.tasks.create({ userId, input: 'in', status })).taskId;
  const held = async (): Promise<string> => {
    const taskId = await task(10);
    await host.tasks.claim({ taskId, legacy: true });
    return taskId;
  };
  const ended = async (status: number): Promise<string> => {
    const taskId = await held();
    await host.tasks.report(taskId, { status });
    return taskId;
  };
  const remove = (options: CallOptions) => host.user('alice', 'DELETE', '/api/tasks', options);
  const exists = async (taskId: string): Promise<boolean> =>
    (await host.user('alice', 'GET', `/api/tasks/${taskId}`)).status !== 404;

  it('deletes drafts, ready, finished and failed tasks, and says so', async () => {
    const ids = [await task(), await task(10), await ended(30), await ended(-10)];
    expect(dataOf(await remove({ json: { ids } }))).toEqual({ deleted: ids, notDeleted: [] });
    expect(await Promise.all(ids.map(exists))).toEqual([false, false, false, false]);
    expect(dataOf(await host.worker('GET', '/api/crontask'))).toEqual([]);
  });

  it('says what it did not delete, and why', async () => {
    const [own, busy, bobs, gone] = [await task(), await held(), await task(0, 'bob'), await task()];
    await remove({ json: { ids: [gone] } });
    const strange = ['', 'x'.repeat(200), '😀', "' OR '1'='1", `${own} `];
    expect(dataOf(await remove({ json: { ids: [busy, bobs, own, gone, ...strange] } }))).toEqual({
      deleted: [own],
      notDeleted: [
        { taskId: busy, code: 14006, msg: 'the state of the task does not allow this' },
        ...[bobs, gone, ...strange].map((taskId) => ({ taskId, code: 14001, msg: 'not found' })),
      ],
    });
    expect(await host.tasks.get(busy)).toMatchObject({ status: 20 });
    expect(await host.tasks.get(bobs)).toMatchObject({ userId: 'bob' });
  });

  it('answers for each id once', async () => {
    const [own, other] = [await task(), 'nobody'];
    expect(dataOf(await remove({ json: { ids: [own, own, other, other] } }))).toEqual({
      deleted: [own],
      notDeleted: [{ taskId: other, code: 14001, msg: 'not found' }],
    });
  });

  it('takes ids as a list or as the JSON text of one, in every body type and in the query', async () => {
    const ways: ((a: string, b: string) => CallOptions)[] = [
      (a, b) => ({ json: { ids: [a, b] } }),
      (a, b) => ({ json: { ids: JSON.stringify([a, b]) } }),
      (a, b) => ({ form: { ids: JSON.stringify([a, b]) } }),
      (a, b) => ({ multipart: { ids: JSON.stringify([a, b]) } }),
      (a, b) => ({ query: { ids: JSON.stringify([a, b]) } }),
      ...(['form', 'multipart', 'query'] as const).flatMap((kind) => [
        (a: string, b: string): CallOptions => ({ [kind]: { 'ids[0]': a, 'ids[1]': b } }),
        (a: string, b: string): CallOptions => ({
          [kind]: [
            ['ids[]', a],
            ['ids[]', b],
          ],
        }),
      ]),
    ];
    for (const way of ways) {
      const ids = [await task(), await task()] as const;
      expect(dataOf(await remove(way(...ids)))).toEqual({ deleted: ids, notDeleted: [] });
      expect(await Promise.all(ids.map(exists))).toEqual([false, false]);
    }
  });

  it('believes the body where the query says something else', async () => {
    const [body, query] = [await task(), await task()];
    const options = { json: { ids: [body] }, query: { ids: JSON.stringify([query]) } };
    expect(dataOf(await remove(options))).toEqual({ deleted: [body], notDeleted: [] });
    expect(await exists(query)).toBe(true);
  });

  it('is what a POST asks for by _method, or by the header, as forms of PHP do', async () => {
    const post = (options: CallOptions) => host.user('alice', 'POST', '/api/tasks', options);
    for (const kind of INPUT_KINDS) {
      const ids = [await task(), await task()];
      const fields = { _method: 'DELETE', ids: JSON.stringify(ids) };
      expect(dataOf(await post(said(kind, fields)))).toEqual({ deleted: ids, notDeleted: [] });
    }
    const own = await task();
    const byHeader = { 'x-http-method-override': 'delete' };
    expect(dataOf(await post({ form: { 'ids[]': own }, headers: byHeader })).deleted).toEqual([own]);
    const bobs = await task(0, 'bob');
    expect(dataOf(await post({ form: { _method: 'DELETE', 'ids[]': bobs } })).deleted).toEqual([]);
    expectFailure(await post({ form: { _method: 'DELETE', input: 'in' } }), 'INVALID_PARAM', ['ids', 'isDefined']);
    expectFailure(await post({ json: [{ _method: 'DELETE', ids: [own] }] }), 'INVALID_PARAM', ['_method', 'method']);
    expectFailure(
      await post({ form: { input: 'in' }, headers: { 'x-http-method-override': 'PUT' } }),
      'INVALID_PARAM',
      ['_method', 'method'],
    );
    const form = { _method: 'DELETE', 'ids[]': bobs };
    expectFailure(await call('POST', `${host.url}/api/tasks`, { form }), 'INVALID_TOKEN');
    expect(await host.tasks.get(bobs)).toMatchObject({ userId: 'bob' });
  });

  it('deletes nothing without ids or without a user', async () => {
    const taskId = await task();
    for (const options of [{}, { json: {} }, { query: { ids: '' } }])
      expectFailure(await remove(options), 'INVALID_PARAM', ['ids', 'isDefined']);
    expectFailure(await remove({ json: { ids: [] } }), 'INVALID_PARAM', ['ids', 'arrayNotEmpty']);
    expectFailure(await call('DELETE', `${host.url}/api/tasks`, { json: { ids: [taskId] } }), 'INVALID_TOKEN');
    expect(await exists(taskId)).toBe(true);
  });
});
