import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import { Logger } from '@nestjs/common';
import axios from 'axios';
import type { DataSource } from 'typeorm';
import type { Resolve } from '../../../../src/callbacks/targets/lookup.js';
import { TASK_STATUS, type TaskCallback, type TaskError, type TaskModuleOptions } from '../../../../src/index.js';
import { bootstrapQueue, type TaskQueue } from '../../../../src/task.bootstrap.js';
import { resolveStructure, resolveValues } from '../../../../src/options/task.options.js';
import { connect } from '../../schema/fixtures/queue.js';
import { expectFailure } from '../../../support/answers.js';
import { borrowDatabase, giveBack } from '../../../support/database-pool.js';
import { ENGINES, type TestDatabase } from '../../../support/databases.js';
import { type Host, PLACES, spread, startHost } from '../../../support/host.js';
import { until } from '../../../support/until.js';
import { finished } from '../fixtures/ends.js';
import { type NameServer, startNameServer } from '../fixtures/name-server.js';
import { type Receiver, startReceiver, status } from '../fixtures/receiver.js';

const PUBLIC = '93.184.216.34';

describe.each(spread(import.meta))("a task's own callbackUrl over HTTP on $engine with $adapter", (where) => {
  let receiver: Receiver;
  let others: Receiver;
  let host: Host;
  beforeAll(async () => {
    [receiver, others] = [await startReceiver(), await startReceiver()];
    host = await startHost({ ...where, options: { callbackUrl: others.url, callbackAllow: [receiver.origin] } });
  });
  afterAll(async () => {
    await host?.close();
    await Promise.all([receiver?.close(), others?.close()]);
  });

  const create = (callbackUrl: unknown, more: object = {}) =>
    host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', status: 10, callbackUrl, ...more } });

  it('is told of the end, and handed to the worker, instead of the host’s', async () => {
    const url = `${receiver.origin}/alice?task=1`;
    const { taskId } = (await create(url)).body.data;
    const { data } = (await host.worker('GET', '/api/crontask', { query: { taskId } })).body;
    expect([data.updateUrl, data.task.callbackUrl]).toEqual([url, url]);
    await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: 30 } });
    await until('received', () => receiver.received.length === 1);
    expect(receiver.received[0]).toMatchObject({
      path: '/alice?task=1',
      notice: { data: { taskId, callbackUrl: url } },
    });
    expect(others.received).toEqual([]);
  });

  it.each(['json', 'form', 'multipart'] as const)('comes in %s, and in a list', async (kind) => {
    const fields = { input: 'in', callbackUrl: receiver.url };
    const created = await host.user('alice', 'POST', '/api/tasks', { [kind]: fields });
    expect((await host.tasks.get(created.body.data.taskId)).callbackUrl).toBe(receiver.url);
    const many = await host.user('alice', 'POST', '/api/tasks', { json: [{ input: 'in' }, fields] });
    const [first, second] = many.body.data.list;
    expect((await host.tasks.get(first.taskId)).callbackUrl).toBeNull();
    expect((await host.tasks.get(second.taskId)).callbackUrl).toBe(receiver.url);
  });

  it.each([
    'http://evil.example/',
    'http://127.0.0.1:1/',
    'http://127.0.0.1/',
    'https://127.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://0/',
    'http://localhost/',
  ])('off the list is refused: %s', async (url) => {
    const answer = await create(url);
    expectFailure(answer, 'INVALID_PARAM', ['callbackUrl', 'callbackAllow']);
    expect(answer.body.data.detail[0].msg).toContain('option callbackAllow does not list');
  });

  it('that only looks like one of the list is refused', async () => {
    const { port } = receiver;
    for (const url of [
      `http://127.0.0.1:${port}.evil.example/`,
      `http://127.0.0.1:${port}@evil.example/`,
      `http://evil.example#@127.0.0.1:${port}/`,
      `http://evil.example\\@127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      `https://127.0.0.1:${port}/`,
      `http://127.0.0.1.:${port}x/`,
    ])
      expect([url, (await create(url)).status]).toEqual([url, 400]);
  });

  it('that is malformed is refused, each offence of a list by its place', async () => {
    expectFailure(await create('ftp://x'), 'INVALID_PARAM', ['callbackUrl', 'isUrl']);
    expectFailure(await create(`http://user:pw@127.0.0.1:${receiver.port}/`), 'INVALID_PARAM', [
      'callbackUrl',
      'isUrl',
    ]);
    expectFailure(await create({ a: 1 }), 'INVALID_PARAM', ['callbackUrl', 'string']);
    const many = await host.user('alice', 'POST', '/api/tasks', {
      json: [{ input: 'in' }, { input: 'in', callbackUrl: 'http://evil.example/' }],
    });
    expectFailure(many, 'INVALID_PARAM', ['[1].callbackUrl', 'callbackAllow']);
  });

  it('that somebody wrote into the row past the list is not called: the host’s is', async () => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in' });
    const { port } = others;
    await host.tasks.dataSource.query(
      `UPDATE tasks SET callback_url = 'http://127.0.0.1:${port}/elsewhere' WHERE id = '${taskId}'`,
    );
    await host.tasks.cancel(taskId);
    await until('received', () => others.received.some(({ notice }) => notice.data.taskId === taskId));
    expect(others.received.map(({ path }) => path)).not.toContain('/elsewhere');
  });
});

describe('where no origin is allowed', () => {
  it("a task's own callbackUrl is refused, with the remedy", async () => {
    const host = await startHost(PLACES[0]!);
    const json = { input: 'in', callbackUrl: 'https://app.example.com/done' };
    const answer = await host.user('alice', 'POST', '/api/tasks', { json });
    expectFailure(answer, 'INVALID_PARAM', ['callbackUrl', 'callbackAllow']);
    expect(answer.body.data.detail[0].msg).toBe('callbackUrl is not allowed: option callbackAllow lists no origins');
    await host.close();
  });
});

describe.each(ENGINES)('names on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let receiver: Receiver;
  let names: NameServer;
  let queue: TaskQueue;
  beforeAll(async () => {
    database = await borrowDatabase(engine);
    dataSource = await connect(database);
    receiver = await startReceiver();
    names = await startNameServer();
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await giveBack(database);
    await receiver?.close();
    names?.close();
  });
  beforeEach(() => {
    receiver.answer = status(200);
    receiver.received.length = 0;
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await queue.close();
  });

  /** A queue that resolves by our name server, over real sockets. */
  async function open(
    callbackAllow: string[],
    more: TaskModuleOptions = {},
    resolve: Resolve = names.resolve,
  ): Promise<void> {
    const options = { callbackAllow, callbackRetry: { delays: [0.05, 0.05], jitter: 0 }, callbackTimeout: 1, ...more };
    const resolved = { ...resolveStructure(options), ...resolveValues(options) };
    queue = await bootstrapQueue(resolved, dataSource, {
      http: new HttpService(axios.create()),
      resolve,
    });
    queue.start();
  }
  const create = (callbackUrl: string) =>
    queue.service.create({ userId: 'alice', input: 'in', status: TASK_STATUS.BEGIN, callbackUrl });
  const refusal = async (callbackUrl: string): Promise<string> => {
    const error = await create(callbackUrl).then(
      () => undefined,
      (thrown: TaskError) => thrown,
    );
    const [problem] = error?.detail as { field: string; rule: string; msg: string }[];
    expect(problem).toMatchObject({ field: 'callbackUrl', rule: 'callbackAllow' });
    return problem!.msg;
  };
  const at = (name: string): string => `http://${name}:${receiver.port}`;
  const ended = async (taskId: string, state: 'dead' | 'delivered') =>
    until(state, async () => (await queue.service.callbacks.list({ taskId, state })).list[0]);

  it('that lead to addresses which are not public are refused at creation, one among many, too', async () => {
    const inside = ['127.0.0.1', '10.1.2.3', '192.168.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1'];
    inside.forEach((address, index) => (names.names[`inside${index}.test`] = () => [address]));
    names.names['mixed.test'] = () => [PUBLIC, '127.0.0.1'];
    const hosts = [...inside.map((_, index) => `inside${index}.test`), 'mixed.test'];
    await open(hosts.map(at));
    for (const name of hosts) expect(await refusal(`${at(name)}/`)).toMatch(/leads to an address that is not public/);
    expect(receiver.connections()).toBe(0);
  });

  it('that rebind are refused at the connection, try after try, and the receiver sees nothing', async () => {
    names.names['rebind.test'] = (question) => (question === 0 ? [PUBLIC] : ['127.0.0.1']);
    await open([at('rebind.test')]);
    const { taskId } = await create(`${at('rebind.test')}/done`);
    await queue.service.cancel(taskId);
    const callback = await ended(taskId, 'dead');
    expect(callback.tries.map(({ error }) => error)).toEqual(
      Array(3).fill('rebind.test leads to 127.0.0.1, which callbackAllow does not allow'),
    );
    expect(names.asked.filter((name) => name === 'rebind.test')).toHaveLength(4);
    expect(receiver.connections()).toBe(0);
  });

  it('with their network beside the origin are called there, and nowhere else', async () => {
    names.names['jobs.test'] = (question) => (question < 2 ? ['127.0.0.1'] : ['169.254.169.254']);
    await open([`${at('jobs.test')} 127.0.0.0/8`]);
    const { taskId } = await create(`${at('jobs.test')}/done`);
    await queue.service.cancel(taskId);
    await ended(taskId, 'delivered');
    expect(receiver.received).toMatchObject([{ path: '/done', headers: { host: `jobs.test:${receiver.port}` } }]);
    await queue.close();
    // Anew, so that no connection is left: the name now leads to the metadata.
    await open([`${at('jobs.test')} 127.0.0.0/8`]);
    const [{ id }] = (await queue.service.callbacks.list({ taskId })).list as [TaskCallback];
    await queue.service.callbacks.replay(id);
    const callback = await ended(taskId, 'dead');
    expect(callback.tries.at(-1)!.error).toBe('jobs.test leads to 169.254.169.254, which callbackAllow does not allow');
  });

  it('that nobody knows just now are let through, and held to the rule when they are called', async () => {
    await open([`${at('later.test')} 127.0.0.0/8`]);
    const { taskId } = await create(`${at('later.test')}/done`);
    names.names['later.test'] = () => ['127.0.0.1'];
    await queue.service.cancel(taskId);
    await ended(taskId, 'delivered');
  });

  it('that the list no longer has, or not yet, are not called, and tried again as ever', async () => {
    names.names['moved.test'] = () => ['127.0.0.1'];
    await open([`${at('moved.test')} 127.0.0.0/8`], { dispatchCallbacks: false });
    const { taskId } = await create(`${at('moved.test')}/done`);
    await queue.service.cancel(taskId);
    await queue.close();
    await open([at('other.test')]);
    const callback = await ended(taskId, 'dead');
    const error = `option callbackAllow does not list ${at('moved.test')}`;
    expect(callback.tries).toMatchObject([{ error }, { error }, { error }]);
    expect(receiver.received).toEqual([]);
    await queue.close();
    await open([`${at('moved.test')} 127.0.0.0/8`]);
    await queue.service.callbacks.replay(callback.id);
    await ended(taskId, 'delivered');
  });

  it('are asked for once at a time, however many callbacks wait for the answer', async () => {
    let answer!: () => void;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const asked: string[] = [];
    const resolve: Resolve = async (name) => {
      asked.push(name);
      await answered;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const callbackAllow = [`${at('theirs.test')} 127.0.0.0/8`];
    await open(callbackAllow, { callbackUrl: `${at('ours.test')}/done`, callbackTimeout: 60 }, resolve);
    const { service } = queue;
    const urls = [undefined, `${at('theirs.test')}/done`].flatMap((url) => Array<string | undefined>(4).fill(url));
    // Creates do not wait for a name for long.
    const made = await Promise.all(
      urls.map((callbackUrl) => service.create({ userId: 'alice', input: 'in', callbackUrl })),
    );
    await Promise.all(made.map(({ taskId }) => service.cancel(taskId)));
    await until(
      'as many of both are tried as may be at first',
      async () =>
        (await service.callbacks.list({ state: 'pending' })).list.filter(({ attempts }) => attempts === 1).length >= 4,
    );
    await new Promise((done) => setTimeout(done, 100));
    // The other name is as new, and waits until this one is answered.
    expect(asked).toEqual(['theirs.test']);
    answer();
    await until('delivered', () => receiver.received.length === 8);
  });

  it('that hang keep no create waiting for one after the other', async () => {
    const hosts = Array.from({ length: 20 }, (_, index) => at(`hangs${index}.test`));
    await open(hosts, {}, () => new Promise(() => undefined));
    const start = performance.now();
    const tasks = hosts.map((host) => ({ userId: 'alice', input: 'in', callbackUrl: `${host}/done` }));
    expect(await queue.service.createMany(tasks)).toHaveLength(20);
    // One after the other they would take two seconds each.
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it("of the host's own callbackUrl may lead anywhere", async () => {
    names.names['host.test'] = () => ['127.0.0.1'];
    await open([], { callbackUrl: `${at('host.test')}/done` });
    const { taskId } = await queue.service.create({ userId: 'alice', input: 'in' });
    await queue.service.cancel(taskId);
    await ended(taskId, 'delivered');
    expect(await finished(queue.service)).toMatch(/\S/);
  });
});
