import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Logger } from '@nestjs/common';
import axios, { type InternalAxiosRequestConfig } from 'axios';
import { Webhook } from 'standardwebhooks';
import type { TaskCallback, TaskModuleOptions } from '../../../src/index.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import type { TestDatabase } from '../../support/databases.js';
import { type Host, spread, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { finished } from './fixtures/ends.js';
import { nobody, type Receiver, startReceiver, status } from './fixtures/receiver.js';

const SECRET = `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.from('another secret, being retired').toString('base64')}`;

describe.each(spread(import.meta))('a host that delivers on $engine with $adapter', (where) => {
  let database: TestDatabase;
  let receiver: Receiver;
  let host: Host;
  beforeAll(async () => {
    database = await borrowDatabase(where.engine);
    receiver = await startReceiver();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await host.close();
    receiver.received.length = 0;
  });
  afterAll(async () => {
    await receiver?.close();
    await giveBack(database);
  });

  const start = (options: TaskModuleOptions = {}): Promise<Host> =>
    startHost({
      ...where,
      database,
      options: { callbackUrl: receiver.url, callbackSecret: SECRET, callbackTimeout: 1, ...options },
    });
  const delivered = (taskId: string): Promise<TaskCallback> =>
    until(
      `${taskId} is delivered`,
      async () => (await host.tasks.callbacks.list({ taskId, state: 'delivered' })).list[0],
    );

  it('sends a signature for each secret while they are rotated', async () => {
    host = await start({ callbackSecret: [SECRET, OLD_SECRET] });
    await delivered(await finished(host.tasks));
    const [{ body, headers }] = receiver.received as [Receiver['received'][0]];
    expect(headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
    for (const secret of [SECRET, OLD_SECRET]) new Webhook(secret).verify(body, headers);
  });

  it("sends nothing of what a host has set for its own requests, and lets the host's interceptors see nothing", async () => {
    const { defaults, interceptors } = axios;
    defaults.headers.common.authorization = 'Bearer of the host';
    Object.assign(defaults, {
      baseURL: 'http://127.0.0.1:9/',
      params: { key: 'of the host' },
      auth: { username: 'host' },
    });
    const seen = jest.fn((config: InternalAxiosRequestConfig) => config);
    const interceptor = interceptors.request.use(seen);
    try {
      host = await start();
      await delivered(await finished(host.tasks));
      expect(receiver.received[0]!.path).toBe('/done');
      expect(Object.keys(receiver.received[0]!.headers).sort()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
        'webhook-id',
        'webhook-signature',
        'webhook-timestamp',
      ]);
      expect(seen).not.toHaveBeenCalled();
    } finally {
      interceptors.request.eject(interceptor);
      delete defaults.headers.common.authorization;
      for (const name of ['baseURL', 'params', 'auth'] as const) delete defaults[name];
    }
  });

  it.each(['as it is', 're-exported'])('has nothing to do with an HttpModule in `imports`, %s', async (how) => {
    const headers = { authorization: 'Bearer of the host' };
    const http = HttpModule.register({ baseURL: 'http://127.0.0.1:9/', timeout: 5000, headers });
    class AuthModule {}
    const auth: DynamicModule = { module: AuthModule, imports: [http], exports: [http] };
    host = await start({ imports: [how === 'as it is' ? http : auth] });
    const { defaults, interceptors } = host.app.get(HttpService, { strict: false }).axiosRef;
    const seen = jest.fn((config: InternalAxiosRequestConfig) => config);
    interceptors.request.use(seen);
    await delivered(await finished(host.tasks));
    expect(receiver.received[0]!.path).toBe('/done');
    expect(receiver.received[0]!.headers).not.toHaveProperty('authorization');
    expect(seen).not.toHaveBeenCalled();
    expect(defaults).toMatchObject({ baseURL: 'http://127.0.0.1:9/', timeout: 5000, headers });
  });

  it('says at the start what is pending that its options have nobody deliver', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const said = (): unknown[] =>
      warnings.mock.calls.splice(0).flatMap(([line]) => (String(line).includes('pending') ? [line as unknown] : []));
    host = await start({ dispatchCallbacks: false });
    for (let i = 0; i < 3; i++) await finished(host.tasks);
    expect(said()).toEqual([]);
    await host.close();
    host = await start({ deliverCallbacks: false });
    expect(said()).toEqual([
      "'default' leaves callbacks pending (3), because deliverCallbacks is off; set it until they are delivered, or " +
        'delete them from the table of callbacks.',
    ]);
    await host.close();
    host = await start({ callbackUrl: undefined });
    expect(said()).toEqual([
      "'default' leaves callbacks pending (3), because there is neither callbackUrl nor callbackAllow; set the one " +
        'that they were created with until they are delivered, or delete them from the table of callbacks.',
    ]);
    await host.close();
    host = await start();
    await until('delivered', () => receiver.received.length === 3);
    expect(said()).toEqual([]);
  });

  it('sends none without a secret, and says so at the start', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    host = await start({ callbackSecret: undefined });
    expect(warnings.mock.calls.map(([line]) => line)).toEqual([
      "'default' delivers callbacks unsigned, so receivers cannot tell who sent them; set the option callbackSecret.",
    ]);
    await delivered(await finished(host.tasks));
    expect(receiver.received[0]!.headers['webhook-id']).toMatch(/\S/);
    expect(receiver.received[0]!.headers['webhook-signature']).toBeUndefined();
  });

  it('waits through an outage of the receiver, and says who is away', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const away = await nobody();
    host = await start({ callbackUrl: away, callbackRetry: { delays: Array(40).fill(0.2) as number[], jitter: 0 } });
    const taskId = await finished(host.tasks);
    await until('two tries', async () => (await host.tasks.callbacks.list({ taskId })).list[0]!.tries.length >= 2);
    const back = await startReceiver(status(200), Number(new URL(away).port));
    const callback = await delivered(taskId);
    expect(callback.tries[0]!.error).toMatch(/ECONNREFUSED/);
    expect(back.received).toHaveLength(1);
    expect(warnings.mock.calls.filter(([line]) => String(line).includes('fail, and are tried again'))).toHaveLength(1);
    await back.close();
  });

  it('keeps the defaults where callbackRetry has an explicit undefined', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    receiver.answer = status(500);
    try {
      // On a database of its own: what is tried again in some seconds is no business of other tests.
      const callbackRetry = { delays: undefined, jitter: undefined } as never;
      host = await startHost({ ...where, options: { callbackUrl: receiver.url, callbackRetry } });
      const taskId = await finished(host.tasks);
      const { tries, dueAt } = await until('tried', async () =>
        (await host.tasks.callbacks.list({ taskId })).list.find((callback) => callback.tries.length === 1),
      );
      const pause = dueAt!.getTime() - Date.parse(tries[0]!.time);
      expect(pause).toBeGreaterThan(4900);
      expect(pause).toBeLessThan(60_000);
    } finally {
      receiver.answer = status(200);
    }
  });

  it('says what goes wrong in a try of its own doing, and goes on', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line) => {
      if (String(line).startsWith('callbacks to ')) throw new Error('the disk of the log is full');
    });
    receiver.answer = (response) => void response.writeHead(receiver.received.length === 1 ? 500 : 200).end();
    try {
      host = await start({ callbackRetry: { delays: [0.05], jitter: 0 } });
      const { id } = await delivered(await finished(host.tasks));
      expect(errors.mock.calls).toEqual([
        [`callback ${id} could not be tried`, expect.stringContaining('the disk of the log is full')],
      ]);
    } finally {
      receiver.answer = status(200);
    }
  });

  it('finds what another process wrote within about a second', async () => {
    host = await start();
    const writer = where.engine === 'sqlite' ? undefined : await start({ dispatchCallbacks: false });
    try {
      const before = performance.now();
      // On SQLite there is one process: what a host's transaction wrote is found in the same way.
      const taskId = writer
        ? await finished(writer.tasks)
        : await host.tasks.dataSource.transaction(async (manager) => {
            const { taskId: id } = await host.tasks.create({ userId: 'alice', input: 'in' }, { manager });
            return (await host.tasks.cancel(id, { manager })).taskId;
          });
      await delivered(taskId);
      expect(receiver.received[0]!.at - before).toBeLessThan(60_000);
    } finally {
      await writer?.close();
    }
  });

  it('tells of a receiver that comes and goes once, and of one that is gone for one task not at all', async () => {
    const [lines, logs] = (['warn', 'log'] as const).map((level) =>
      jest.spyOn(Logger.prototype, level).mockImplementation(() => undefined),
    );
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    host = await start({ callbackRetry: { delays: [0.05], jitter: 0 } });
    const about = (said: typeof lines): unknown[] =>
      said!.mock.calls.map(([line]) => line as unknown).filter((line) => String(line).startsWith('callbacks to '));
    try {
      receiver.answer = status(410);
      const gone = await finished(host.tasks);
      await until('dead', async () => (await host.tasks.callbacks.list({ taskId: gone, state: 'dead' })).list[0]);
      receiver.answer = (response) => void response.writeHead(receiver.received.length % 2 === 0 ? 500 : 200).end();
      for (let i = 0; i < 3; i++) await delivered(await finished(host.tasks));
      expect(about(lines)).toEqual([`callbacks to ${receiver.origin} fail, and are tried again: HTTP 500`]);
      expect(about(logs)).toEqual([`callbacks to ${receiver.origin} are delivered again`]);
    } finally {
      receiver.answer = status(200);
    }
  });
});
