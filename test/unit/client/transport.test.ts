import { describe, expect, it } from '@jest/globals';
import {
  STATUS,
  TaskApiError,
  TaskClient,
  type TaskClientOptions,
  WaitTimeoutError,
} from '../../../src/client/index.js';
import { answer, flaky } from './fixtures/flaky.js';

const failure = async (work: Promise<unknown>): Promise<TaskApiError> => {
  const error = await work.then(
    () => new Error('it worked'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TaskApiError);
  return error as TaskApiError;
};

const never = (): Promise<never> => new Promise(() => undefined);

describe('a request that might do harm twice', () => {
  const ONCE: [string, (client: TaskClient) => Promise<unknown>][] = [
    ['markReady', (client) => client.markReady('x')],
    ['cancel', (client) => client.cancel('x')],
    ['update of a status', (client) => client.update('x', { status: STATUS.BEGIN })],
    ['remove', (client) => client.remove('x')],
  ];
  const busy = answer({ code: 14009, msg: 'too many requests' }, 429, { 'Retry-After': '0' });
  const away = answer({ code: 14011, msg: 'temporarily unavailable' }, 503, { 'Retry-After': '0' });

  it.each(ONCE)('%s, is sent again where the queue was too busy to hear it', async (_, act) => {
    const server = await flaky(busy, answer({}));
    await act(new TaskClient({ baseUrl: server.url }));
    server.close();
    expect(server.heard).toHaveLength(2);
  });

  it.each(ONCE)('%s, is not where it may have been carried out: a 503 is no proof', async (_, act) => {
    const server = await flaky(away, answer({}));
    const error = await failure(act(new TaskClient({ baseUrl: server.url })));
    server.close();
    expect(server.heard).toHaveLength(1);
    expect(error).toMatchObject({ httpStatus: 503, code: 14011, retryable: true });
  });

  it("is not sent again for a proxy's 429: the queue says it with a code", async () => {
    const server = await flaky((response) => response.writeHead(429, { 'Retry-After': '0' }).end(), answer({}));
    expect(await failure(new TaskClient({ baseUrl: server.url }).cancel('x'))).toMatchObject({ httpStatus: 429 });
    server.close();
    expect(server.heard).toHaveLength(1);
  });
});

it('a request that fails says why, where the queue gives a reason', async () => {
  const detail = { msg: 'there is no schedule of this key' };
  const server = await flaky(answer({ code: 14001, msg: 'not found', detail }, 404));
  const error = await failure(new TaskClient({ baseUrl: server.url }).schedules.get('x'));
  server.close();
  expect(error.message).toBe('GET /api/schedules/x: HTTP 404: not found (there is no schedule of this key)');
});

describe('a request', () => {
  it.each<[string, Partial<TaskClientOptions>]>([
    ['token', { token: never }],
    ['fetch', { fetch: never }],
  ])('takes no longer than its time-out where %s hangs', async (_, options) => {
    const client = new TaskClient({ baseUrl: 'http://127.0.0.1:1', timeout: 0.2, retries: 0, ...options });
    expect((await failure(client.get('x'))).message).toContain('no answer within 0.2 s');
    const abort = new AbortController();
    setTimeout(() => abort.abort('enough'), 50);
    await expect(client.get('x', { signal: abort.signal, timeout: 30 })).rejects.toBe('enough');
  });

  it.each<[string, () => string | Promise<string>, string, unknown]>([
    [
      'throws',
      () => {
        throw new Error('no key');
      },
      'no key',
      { message: 'no key' },
    ],
    ['rejects', () => Promise.reject(new TypeError('expired')), 'expired', { message: 'expired' }],

    ['rejects without a reason', () => Promise.reject(), 'undefined was thrown', { message: 'undefined was thrown' }],

    ['rejects with a text', () => Promise.reject('offline'), 'offline was thrown', { cause: 'offline' }],
  ])('fails like any other where token() %s', async (_, token, message, cause) => {
    const error = await failure(new TaskClient({ baseUrl: 'http://127.0.0.1:1', retries: 0, token }).get('x'));
    expect(error).toMatchObject({ httpStatus: 0, retryable: true, cause });
    expect(error.message).toBe(`GET http://127.0.0.1:1/api/tasks/x: ${message}`);
  });

  it.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'Retry-After': '7' }, 7],
    [
      "a date, by the server's clock",
      { Date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'Retry-After': 'Wed, 21 Oct 2015 07:28:30 GMT' },
      30,
    ],
    ['a date that is over', { 'Retry-After': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
    ['a word', { 'Retry-After': 'soon' }, undefined],
    ['nothing', {}, undefined],
  ])('reads Retry-After: %s', async (_, headers, seconds) => {
    const server = await flaky(answer({ code: 14011, msg: 'temporarily unavailable' }, 503, headers));
    const error = await failure(new TaskClient({ baseUrl: server.url, retries: 0 }).get('x'));
    server.close();
    expect(error.retryAfter).toBe(seconds);
  });
});

describe('waitFor', () => {
  it('takes no longer than it is told at a server that hangs', async () => {
    const server = await flaky(() => undefined);
    const before = performance.now();
    const error = await failure(new TaskClient({ baseUrl: server.url }).waitFor('x', { timeout: 0.5 }));
    expect(performance.now() - before).toBeLessThan(15_000);
    server.close();
    expect(error).toMatchObject({ httpStatus: 0, retryable: true });
    expect(error).not.toBeInstanceOf(WaitTimeoutError);
  });

  it('tells its own time-out from a failure, and what it saw last', async () => {
    const task = { taskId: 'x', status: STATUS.START };
    const server = await flaky(answer(task));
    const error = await failure(new TaskClient({ baseUrl: server.url }).waitFor('x', { timeout: 0.5 }));
    server.close();
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error).toMatchObject({ name: 'WaitTimeoutError', httpStatus: 0, retryable: false, detail: { task } });
    expect(error.message).toBe('task x has not ended within 0.5 s');
  });

  it('was in time, though the queue was away at the end', async () => {
    const server = await flaky(answer({ taskId: 'x', status: STATUS.START }), (response) => response.destroy());
    const error = await failure(new TaskClient({ baseUrl: server.url }).waitFor('x', { timeout: 0.5 }));
    server.close();
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error.cause).toBeInstanceOf(TaskApiError);
  });

  it('sees an end at the last moment', async () => {
    const server = await flaky(answer({ status: STATUS.START }), answer({ status: STATUS.FINISHED }));
    const client = new TaskClient({ baseUrl: server.url });
    expect(await client.waitFor('x', { timeout: 0.1 })).toMatchObject({ status: STATUS.FINISHED });
    server.close();
  });
});
