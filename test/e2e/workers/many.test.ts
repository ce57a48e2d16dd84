import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../support/answers.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { call } from '../../support/http.js';

const OTHER_TOKEN = 'another-worker-token-0123';

describe.each(PLACES)('claims and reports of many on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { workerTokens: ['a-worker-token-0123456', OTHER_TOKEN] } });
  });
  afterAll(() => host?.close());

  const as = (token: string, method: string, json: object, headers: Record<string, string> = {}) =>
    call(method, `${host.url}/api/crontask`, { json, headers: { authorization: `Bearer ${token}`, ...headers } });
  const claim = async (json: object, key?: string, token = 'a-worker-token-0123456'): Promise<any> =>
    dataOf(await as(token, 'POST', json, key === undefined ? {} : { 'Idempotency-Key': key }));
  const reportAll = async (reports: unknown[]): Promise<any[]> =>
    dataOf(await as('a-worker-token-0123456', 'PUT', { reports })).list;
  const make = async (service: string, count: number, more: object = {}): Promise<string[]> => {
    const tasks = Array.from({ length: count }, (_, index) => ({
      userId: 'alice',
      input: `${index}`,
      service,
      status: 10,
      ...more,
    }));
    return (await host.tasks.createMany(tasks)).map((task) => task.taskId);
  };

  it('a claim with limit answers a list, by priority, then oldest first, each task with a token of its own', async () => {
    const [late, first, middle] = [
      await make('order', 2),
      await make('order', 1, { priority: -1 }),
      await make('order', 1),
    ];
    const { list } = await claim({ service: 'order', limit: 3 });
    expect(list.map((item: any) => item.task.taskId)).toEqual([...first, ...late]);
    expect(new Set(list.map((item: any) => item.leaseToken)).size).toBe(3);
    const rest = await claim({ service: 'order', limit: 3 });
    expect(rest.list.map((item: any) => item.task.taskId)).toEqual(middle);
    expect(await claim({ service: 'order', limit: 3 })).toEqual({ list: [] });
  });

  it('reports on many are judged each for itself, and answered in their order', async () => {
    const [a, b] = await make('reports', 3);
    const { list } = await claim({ service: 'reports', limit: 2 });
    const [one, two] = list.map((item: any) => item.leaseToken);
    const unknown = randomUUID();
    const answers = await reportAll([
      { taskId: a, leaseToken: one, progress: 10 },
      { taskId: b, leaseToken: one, status: 30 },
      { taskId: unknown, status: 30 },
      { taskId: a, leaseToken: one, status: 30, output: 'out' },
      { taskId: b, leaseToken: two, progress: -1 },
      'nonsense',
    ]);
    expect(answers.map((answer) => [answer.taskId, answer.status, answer.data.code])).toEqual([
      [a, 1, undefined],
      [b, 0, 14005],
      [unknown, 0, 14001],
      [a, 1, undefined],
      [b, 0, 14004],
      [undefined, 0, 14004],
    ]);
    expect(answers[0].data).toMatchObject({ task: { progress: 10 }, leaseExpiresAt: expect.any(String) });
    expect(answers[3].data).toMatchObject({ task: { status: 30, output: 'out' }, leaseExpiresAt: null });
    expect(answers[4].data.detail[0].field).toBe('progress');
    expect(await host.tasks.get(b!)).toMatchObject({ status: 20, progress: 0 });
  });

  it('refuses no reports, more than a hundred, and what is no list', async () => {
    const token = 'a-worker-token-0123456';
    for (const reports of [[], Array.from({ length: 101 }, () => ({ taskId: 'x' })), 'x'])
      expect((await as(token, 'PUT', { reports })).status).toBe(400);
    expectFailure(await as(token, 'PUT', [{ taskId: 'x' }]), 'INVALID_PARAM', ['body', 'isObject']);
  });

  it('the same key answers the same tasks and tokens, to the same worker, while their leases live', async () => {
    await make('keys', 6);
    const wish = { service: 'keys', limit: 2, lease: 60, workerId: 'w' };
    const first = await claim(wish, 'key');
    expect(first.list).toHaveLength(2);
    expect(await claim(wish, 'key')).toEqual(first);
    const ids = (answer: any): string[] => answer.list.map((item: any) => item.task.taskId);
    for (const other of [await claim({ ...wish, workerId: 'v' }, 'key'), await claim(wish, 'key', OTHER_TOKEN)])
      expect(ids(other).filter((id) => ids(first).includes(id))).toEqual([]);
    for (const { task, leaseToken } of first.list) await host.tasks.report(task.taskId, { status: 30, leaseToken });
    expect(await claim(wish, 'key')).toEqual({ list: [] });
  });

  it('ten requests with one key at once get one answer', async () => {
    await make('storm', 10);
    const wish = { service: 'storm', lease: 60 };
    const answers = await Promise.all(Array.from({ length: 10 }, () => claim(wish, 'storm')));
    expect(new Set(answers.map((answer) => answer.leaseToken)).size).toBe(1);
  });

  it('refuses a key that is none', async () => {
    for (const key of ['é'.repeat(2), 'x'.repeat(256)])
      expectFailure(
        await as('a-worker-token-0123456', 'POST', {}, { 'Idempotency-Key': encodeURI(key) === key ? key : 'a\tb' }),
        'INVALID_PARAM',
        ['Idempotency-Key', 'idempotencyKey'],
      );
  });
});
