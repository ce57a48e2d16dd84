import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ERROR_CODE,
  RetryLater,
  STATUS,
  TaskApiError,
  TaskClient,
  TaskWorker,
  URIS,
} from '../../../src/client/index.js';
import { TASK_ERRORS, TASK_STATUS, TaskResponse } from '../../../src/index.js';
import { TaskUris } from '../../../src/http/http.options.js';
import { userToken } from '../../../src/server/secrets.js';
import { EVERYTHING, VIDEO_URIS, videoMigrations } from '../../support/swapped.js';
import { type Host, startHost, WORKER_TOKEN } from '../../support/host.js';
import { type ServerHere, serveHere } from '../../support/server-here.js';
import { answer, flaky } from './fixtures/flaky.js';

const SECRET = 'a-secret-of-at-least-32-bytes-in-length';
const refusal = async (work: Promise<unknown>): Promise<TaskApiError> => {
  const error = await work.then(
    () => new Error('it worked'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TaskApiError);
  return error as TaskApiError;
};

describe('TaskClient, on the standalone server', () => {
  let server: ServerHere;
  let alice: TaskClient;
  let worker: TaskClient;
  beforeAll(async () => {
    server = await serveHere({ TASK_JWT_SECRET: SECRET, TASK_WORKER_TOKENS: WORKER_TOKEN });
    // A function, as for tokens that are renewed; a slash at the end does no harm.
    alice = new TaskClient({ baseUrl: `${server.url}/`, token: () => userToken(SECRET, 'alice') });
    worker = new TaskClient({ baseUrl: server.url, token: WORKER_TOKEN });
  });
  afterAll(() => server?.stop());

  it('has the statuses and the codes of the server', () => {
    expect(STATUS).toEqual(TASK_STATUS);
    expect({ ...URIS }).toEqual({ ...new TaskUris(), scheduleUri: '/api/schedules', batchUri: '/api/batches' });
    const codes = Object.entries(TASK_ERRORS).map(([name, { code }]) => [name, code]);
    expect(ERROR_CODE).toEqual(Object.fromEntries(codes));
  });

  it('creates, shows, lists, changes and deletes', async () => {
    const one = await alice.create({ input: 'in', args: '{"a":1}', service: 'crud', group: 'g', priority: 1 });
    expect(one).toMatchObject({ input: 'in', args: '{"a":1}', service: 'crud', group: 'g', priority: 1, status: 0 });
    const more = await alice.createMany([
      { input: '1', service: 'crud' },
      { input: '2', service: 'crud' },
    ]);
    expect(more.map(({ input }) => input)).toEqual(['1', '2']);
    expect(await alice.get(one.taskId)).toEqual(one);
    const page = await alice.list({ service: 'crud', pageNum: 2 });
    expect(page.list.map(({ input }) => input)).toEqual(['2', '1']);
    const rest = await alice.list({ service: 'crud', pageNum: 2, cursor: page.nextCursor! });
    expect(rest).toEqual({ list: [one], nextCursor: null });
    expect((await alice.list({ ids: [one.taskId] })).list).toEqual([one]);
    const ids = [one.taskId, ...Array.from({ length: 999 }, () => randomUUID())];
    expect((await alice.list({ ids })).list).toEqual([one]);
    expect(await alice.update(one.taskId, { input: 'other' })).toMatchObject({ input: 'other', status: 0 });
    expect(await alice.markReady(one.taskId)).toMatchObject({ status: 10 });
    expect(await alice.cancel(one.taskId)).toMatchObject({ status: -20 });
    const unknown = '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c';
    expect(await alice.remove([one.taskId, unknown])).toEqual({
      deleted: [one.taskId],
      notDeleted: [{ taskId: unknown, code: 14001, msg: 'not found' }],
    });
    expect(await alice.remove(more[0]!.taskId)).toEqual({ deleted: [more[0]!.taskId], notDeleted: [] });
  });

  it('lists what one answer does not hold in parts, and loses nothing', async () => {
    const bob = new TaskClient({ baseUrl: server.url, token: await userToken(SECRET, 'bob') });
    const text = '\u0001'.repeat(65_535);
    const ids: string[] = [];
    for (let made = 0; made < 24; made++) ids.unshift((await bob.create({ input: text, args: text })).taskId);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { list, nextCursor } = await bob.list({ pageNum: 100, cursor });
      seen.push(...list.map(({ taskId }) => taskId));
      cursor = nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids);
    expect((await bob.list({ ids: [...ids].reverse() })).list.map(({ taskId }) => taskId)).toEqual(ids);
    const byNumber = await refusal(bob.list({ page: 1, pageNum: 100 }));
    expect([byNumber.httpStatus, byNumber.code]).toEqual([413, ERROR_CODE.TOO_LARGE]);
  });

  it('claims, reports on one and on many, gives back', async () => {
    await alice.createMany(['a', 'b', 'c'].map((input) => ({ input, service: 'work', status: STATUS.BEGIN })));
    expect(await worker.claim({ service: 'nothing' })).toEqual([]);
    const [a] = await worker.claim({ service: 'work', lease: 30, workerId: 'me' });
    const [b, c] = await worker.claim({ service: 'work', lease: 30, workerId: 'me', limit: 5 });
    expect([a, b, c].map((claimed) => claimed!.task.input)).toEqual(['a', 'b', 'c']);
    const of = ({ task: { taskId }, leaseToken }: NonNullable<typeof a>) => ({ taskId, leaseToken });
    expect(await worker.report(a!.task.taskId, { ...of(a!), progress: 5 })).toMatchObject({ task: { progress: 5 } });
    expect(await worker.release(a!.task.taskId, of(a!))).toMatchObject({ task: { status: 10, attempt: 0 } });
    const answers = await worker.reportMany([
      { ...of(b!), status: STATUS.FINISHED, output: 'done' },
      { ...of(c!), leaseToken: 'another' },
    ]);
    expect(answers).toMatchObject([
      { taskId: b!.task.taskId, task: { status: 30, output: 'done' } },
      { taskId: c!.task.taskId, failure: { code: 14005, detail: { task: { status: 20 } } } },
    ]);
  });

  it('waits for the end, whichever it is, and no longer than it is told', async () => {
    const { taskId } = await alice.create({ input: 'x', service: 'wait', status: STATUS.BEGIN });
    expect((await refusal(alice.waitFor(taskId, { timeout: 0.3 }))).message).toContain('not ended within 0.3 s');
    const end = alice.waitFor(taskId);
    const [claimed] = await worker.claim({ service: 'wait' });
    await worker.report(taskId, { leaseToken: claimed!.leaseToken, status: STATUS.ERROR, error: 'broken' });
    expect(await end).toMatchObject({ status: STATUS.ERROR, error: 'broken' });
    const draft = await alice.create({ input: 'never' });
    await expect(alice.waitFor(draft.taskId, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/);
  });

  it('fails with code, HTTP status, detail, and a text that says which field is wrong', async () => {
    const wrong = await refusal(alice.create({ input: 'x', service: '' }));
    expect(wrong).toMatchObject({ code: 14004, httpStatus: 400, retryable: false, name: 'TaskApiError' });
    expect(wrong.detail).toMatchObject([{ field: 'service' }]);
    expect(wrong.message).toBe(
      'POST /api/tasks: HTTP 400: invalid parameter (service must not be empty [service: notEmpty])',
    );
    const stranger = new TaskClient({ baseUrl: server.url, token: 'no-such-token-0123456789' });
    expect(await refusal(stranger.claim())).toMatchObject({ code: 10001, httpStatus: 430 });
    const lost = new TaskClient({ baseUrl: `${server.url}/elsewhere`, token: WORKER_TOKEN });
    expect((await refusal(lost.claim())).message).toMatch(/HTTP 404.*Check baseUrl/);
    expect(() => new TaskClient({ baseUrl: 'tasks.example.com' })).toThrow(/baseUrl must be an http/);
  });
});

describe('TaskClient, on a host with everything swapped but the envelope', () => {
  let host: Host;
  beforeAll(async () => {
    const swapped = { ...EVERYTHING, response: TaskResponse };
    host = await startHost({
      engine: 'sqlite',
      adapter: 'fastify',
      options: swapped,
      typeorm: videoMigrations(),
    });
  });
  afterAll(() => host?.close());

  it('finds its routes and its statuses', async () => {
    const { status } = EVERYTHING;
    const options = { baseUrl: host.url, uris: VIDEO_URIS, status, codes: { NOT_FOUND: 1 } };
    const user = new TaskClient({ ...options, headers: { 'x-key': 'open', 'x-owner': 'alice' } });
    const one = await user.create({ input: 'in', status: status.BEGIN });
    const other = await user.create({ input: 'draft' });
    expect([one.status, other.status]).toEqual([status.BEGIN, status.INIT]);
    expect(await user.cancel(other.taskId)).toMatchObject({ status: status.CANCELLED });
    const worker = new TaskWorker({
      ...options,
      headers: { 'x-key': 'worker' },
      handler: ({ task }) => task.input.toUpperCase(),
    });
    const worked = worker.run();
    expect(await user.waitFor(one.taskId)).toMatchObject({ status: status.FINISHED, output: 'IN' });
    await worker.close();
    await worked;
    expect((await user.list()).list).toHaveLength(2);
    expect((await user.remove(one.taskId)).deleted).toEqual([one.taskId]);
    const gone = { code: 1, httpStatus: 410 };
    expect(await refusal(user.get(one.taskId))).toMatchObject(gone);
    expect(await refusal(user.update(one.taskId, { input: 'x' }))).toMatchObject(gone);
  });
});

describe('TaskClient, on a line that fails', () => {
  it('sends again what was not answered, under one key, and waits as long as it is told', async () => {
    const server = await flaky(
      (response) => response.destroy(),
      answer({ code: 14011, msg: 'temporarily unavailable' }, 503, { 'Retry-After': '1' }),
      answer({ taskId: 'x' }),
    );
    const client = new TaskClient({ baseUrl: server.url });
    expect(await client.create({ input: 'in' })).toEqual({ taskId: 'x' });
    server.close();
    const keys = server.heard.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys).toEqual([keys[0], keys[0], keys[0]]);
    expect(server.heard[2]!.at - server.heard[1]!.at).toBeGreaterThan(950);
  });

  it('takes another key for the next wish, or the one that it is given', async () => {
    const server = await flaky(answer({ list: [] }));
    const client = new TaskClient({ baseUrl: server.url });
    await client.claim();
    await client.claim();
    await client.create({ input: 'in' }, { idempotencyKey: 'mine' });
    server.close();
    const [first, second, third] = server.heard.map(({ headers }) => headers['idempotency-key']);
    expect(first).not.toBe(second);
    expect(third).toBe('mine');
  });

  it('does not send again what was refused', async () => {
    const server = await flaky(answer({ code: 14004, msg: 'invalid parameter' }, 400));
    expect(await refusal(new TaskClient({ baseUrl: server.url }).get('x'))).toMatchObject({ httpStatus: 400 });
    server.close();
    expect(server.heard).toHaveLength(1);
  });

  it('gives up after so many times, and says why', async () => {
    const server = await flaky((response) => response.destroy());
    const error = await refusal(new TaskClient({ baseUrl: server.url, retries: 1 }).get('x'));
    server.close();
    expect(server.heard).toHaveLength(2);
    expect(error).toMatchObject({
      httpStatus: 0,
      code: 0,
      message: expect.stringMatching(/GET .*\/api\/tasks\/x: .+/),
    });
    const nobody = await refusal(new TaskClient({ baseUrl: server.url, retries: 0 }).get('x'));
    expect(nobody.message).toContain('ECONNREFUSED');
  });

  it.each<[string, (client: TaskClient) => Promise<unknown>, number]>([
    ['markReady', (client) => client.markReady('x'), 1],
    ['cancel', (client) => client.cancel('x'), 1],
    ['update of a status', (client) => client.update('x', { status: STATUS.BEGIN }), 1],
    ['remove', (client) => client.remove('x'), 1],
    ['update of an input', (client) => client.update('x', { input: 'in' }), 2],
    ['report', (client) => client.report('x', { leaseToken: 'y', status: STATUS.FINISHED }), 2],
  ])('sends again what is harmless twice, where the answer was lost: %s', async (_, act, times) => {
    const server = await flaky((response) => response.destroy(), answer({}));
    await act(new TaskClient({ baseUrl: server.url })).catch((error) => expect(error).toBeInstanceOf(TaskApiError));
    server.close();
    expect(server.heard).toHaveLength(times);
  });

  it('sends again whatever the queue has surely not done', async () => {
    const busy = answer({ code: 14009, msg: 'too many requests' }, 429, { 'Retry-After': '0' });
    const server = await flaky(busy, answer({ status: STATUS.CANCELLED }));
    expect(await new TaskClient({ baseUrl: server.url }).cancel('x')).toMatchObject({ status: STATUS.CANCELLED });
    server.close();
    let sent = 0;
    const counting: typeof fetch = (...request) => {
      sent += 1;
      return fetch(...request);
    };
    await refusal(new TaskClient({ baseUrl: server.url, retries: 2, fetch: counting }).remove('x'));
    expect(sent).toBe(3);
  });

  it('follows no redirection: a create would become a list', async () => {
    const server = await flaky((response) => response.writeHead(301, { Location: '/api/tasks/' }).end());
    const error = await refusal(new TaskClient({ baseUrl: server.url }).create({ input: 'in' }));
    server.close();
    expect(error).toMatchObject({ httpStatus: 301, retryable: false });
    expect(error.message).toBe('POST /api/tasks: HTTP 301, a redirect to /api/tasks/. Check baseUrl.');
    expect(server.heard).toHaveLength(1);
  });

  it('waits for the end of a task while the queue is away, no longer than it is told', async () => {
    const server = await flaky(
      (response) => response.destroy(),
      answer('<html>bad gateway</html>', 502),
      answer({ taskId: 'x', status: STATUS.FINISHED }),
    );
    const client = new TaskClient({ baseUrl: server.url, retries: 0 });
    expect(await client.waitFor('x')).toMatchObject({ status: STATUS.FINISHED });
    server.close();
    const before = performance.now();
    expect((await refusal(client.waitFor('x', { timeout: 0.5 }))).message).toContain('ECONNREFUSED');
    expect(performance.now() - before).toBeGreaterThan(450);
  });

  it('claims one task where the limit is undefined', async () => {
    const server = await flaky(answer({ list: [] }));
    expect(await new TaskClient({ baseUrl: server.url }).claim({ limit: undefined })).toEqual([]);
    server.close();
    expect(server.heard[0]!.body).toEqual({ limit: 1 });
  });

  it('makes its keys on pages without https, too', async () => {
    const server = await flaky(answer({}));
    const { randomUUID } = globalThis.crypto;
    Object.defineProperty(globalThis.crypto, 'randomUUID', { value: undefined, configurable: true, writable: true });
    try {
      await new TaskClient({ baseUrl: server.url }).create({ input: 'in' });
    } finally {
      Object.defineProperty(globalThis.crypto, 'randomUUID', { value: randomUUID, configurable: true, writable: true });
    }
    server.close();
    expect(server.heard[0]!.headers['idempotency-key']).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('waits no longer than `timeout` for an answer', async () => {
    const server = await flaky(() => undefined);
    const client = new TaskClient({ baseUrl: server.url, timeout: 0.2, retries: 0 });
    expect((await refusal(client.get('x'))).message).toContain('no answer within 0.2 s');
    server.close();
  });

  it('stops when its caller does', async () => {
    const server = await flaky((response) => response.destroy());
    const client = new TaskClient({ baseUrl: server.url, retries: 1000 });
    const signal = AbortSignal.timeout(300);
    await expect(client.get('x', { signal })).rejects.toBe(
      await new Promise((r) => (signal.onabort = () => r(signal.reason))),
    );
    server.close();
  });
});

it('RetryLater takes seconds', () => {
  for (const seconds of [-1, NaN, Infinity]) expect(() => new RetryLater(seconds)).toThrow(RangeError);
  expect(new RetryLater(5)).toMatchObject({ seconds: 5, message: 'try again in 5 s' });
});
