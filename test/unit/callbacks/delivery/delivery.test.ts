import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import type { CallbackState, TaskCallback } from '../../../../src/index.js';
import { borrowDatabase, giveBack } from '../../../support/database-pool.js';
import type { TestDatabase } from '../../../support/databases.js';
import { type Host, spread, startHost } from '../../../support/host.js';
import { until } from '../../../support/until.js';
import { finished } from '../fixtures/ends.js';
import { type Receiver, startReceiver, status } from '../fixtures/receiver.js';

const SECRET = `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.from('another secret, being retired').toString('base64')}`;
/** Tries in quick succession; the last one is the third. */
const QUICK = { callbackRetry: { delays: [0.05, 0.1], jitter: 0 }, callbackTimeout: 1 };

const outcomes = ({ tries }: TaskCallback): unknown[] => tries.map(({ status: code, error }) => code ?? error);

describe.each(spread(import.meta))('delivery on $engine with $adapter', (where) => {
  let database: TestDatabase;
  let receiver: Receiver;
  let host: Host;
  beforeAll(async () => {
    database = await borrowDatabase(where.engine);
    receiver = await startReceiver();
    const options = { callbackUrl: receiver.url, callbackSecret: SECRET, ...QUICK };
    host = await startHost({ ...where, database, options });
  });
  afterAll(async () => {
    await host?.close();
    await receiver?.close();
    await giveBack(database);
  });
  beforeEach(() => {
    receiver.received.length = 0;
    receiver.answer = status(200);
  });
  afterEach(() => void jest.restoreAllMocks());

  /** The task's only callback, once it is where it is expected. */
  const ended = (taskId: string, state: CallbackState): Promise<TaskCallback> =>
    until(`${taskId} is ${state}`, async () =>
      (await host.tasks.callbacks.list({ taskId })).list.find((callback) => callback.state === state),
    );

  it('sends JSON with the headers of the Standard Webhooks specification, at once after the end', async () => {
    const before = performance.now();
    const taskId = await finished(host.tasks);
    const callback = await ended(taskId, 'delivered');
    const [got, ...others] = receiver.received;
    expect(others).toEqual([]);
    expect(got!.at - before).toBeLessThan(60_000);
    expect(got).toMatchObject({ path: '/done', id: callback.id });
    expect(got!.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'softdd-task' });
    expect(got!.body).toBe((await host.tasks.callbacks.get(callback.id)).body);
    expect(got!.notice).toMatchObject({
      type: 'task.finished',
      data: { taskId, status: 30, output: 'out', callbackUrl: receiver.url },
    });
    expect(new Webhook(SECRET).verify(got!.body, got!.headers)).toEqual(got!.notice);
    expect(() => new Webhook(OLD_SECRET).verify(got!.body, got!.headers)).toThrow('No matching signature');
    expect(() => new Webhook(SECRET).verify(`${got!.body} `, got!.headers)).toThrow('No matching signature');
    expect(callback).toMatchObject({ attempts: 1, dueAt: null, tries: [{ status: 200 }] });
    expect(callback.tries[0]!.durationMs).toBeGreaterThanOrEqual(0);
    const seconds = Math.abs(Date.parse(callback.tries[0]!.time) - Date.now()) / 1000;
    expect(seconds).toBeLessThan(60);
    expect(callback.endedAt!.getTime()).toBeGreaterThanOrEqual(callback.createdAt.getTime());
  });

  it('tries again where the answer is 500, with the same id and the same bytes, and a signature of its own', async () => {
    receiver.answer = (response) => status(receiver.received.length < 3 ? 500 : 204)(response, null!, null!);
    const callback = await ended(await finished(host.tasks), 'delivered');
    expect(outcomes(callback)).toEqual([500, 500, 204]);
    expect(callback.attempts).toBe(3);
    const { received } = receiver;
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
    for (const { body, headers } of received) new Webhook(SECRET).verify(body, headers);
    expect(received[1]!.at - received[0]!.at).toBeGreaterThanOrEqual(50);
    expect(received[2]!.at - received[1]!.at).toBeGreaterThanOrEqual(100);
  });

  it.each([
    ['in seconds', () => '1', 1000],
    ['as a date', () => new Date(Date.now() + 2000).toUTCString(), 950],
    ['sooner than planned', () => '0', 50],
  ])('heeds Retry-After %s', async (_, wish, least) => {
    receiver.answer = (response) =>
      (receiver.received.length === 1 ? status(429, { 'Retry-After': wish() }) : status(200))(response, null!, null!);
    const callback = await ended(await finished(host.tasks), 'delivered');
    expect(outcomes(callback)).toEqual([429, 200]);
    expect(receiver.received[1]!.at - receiver.received[0]!.at).toBeGreaterThanOrEqual(least);
  });

  it('lets no receiver put it off for more than a day', async () => {
    receiver.answer = status(503, { 'Retry-After': '999999999' });
    const taskId = await finished(host.tasks);
    const callback = await until('put off', async () => {
      const [found] = (await host.tasks.callbacks.list({ taskId })).list;
      return found!.tries.length > 0 ? found : undefined;
    });
    const hours = (callback.dueAt!.getTime() - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThan(24.1);
    // An operator needn't wait so long.
    receiver.answer = status(200);
    await host.tasks.callbacks.replay(callback.id);
    expect(outcomes(await ended(taskId, 'delivered'))).toEqual([503, 200]);
  });

  it('follows no redirect, and is dead after the last try: kept, counted and told of', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const elsewhere = await startReceiver();
    receiver.answer = status(302, { location: elsewhere.url });
    const taskId = await finished(host.tasks);
    const callback = await ended(taskId, 'dead');
    expect(outcomes(callback)).toEqual([302, 302, 302]);
    expect(callback.dueAt).toBeNull();
    expect(callback.endedAt).toBeInstanceOf(Date);
    expect(elsewhere.connections()).toBe(0);
    await elsewhere.close();
    expect((await host.tasks.callbacks.counts()).dead).toBe(1);
    expect(errors.mock.calls.map(([line]) => line)).toEqual([
      `callback ${callback.id} of task ${taskId} to ${receiver.origin} is dead after 3 tries: HTTP 302. ` +
        `TaskService.callbacks.replay() delivers it again, and on the standalone server npm run callbacks -- replay ${callback.id}`,
    ]);
  });

  it('is replayed from the dead, under the same id', async () => {
    const [dead] = (await host.tasks.callbacks.list({ state: 'dead' })).list;
    await host.tasks.callbacks.replay(dead!.id);
    const callback = await ended(dead!.taskId, 'delivered');
    expect(callback.id).toBe(dead!.id);
    expect(outcomes(callback)).toEqual([302, 302, 302, 200]);
    expect(callback.attempts).toBe(1);
    expect(receiver.received.map(({ id }) => id)).toEqual([dead!.id]);
    // Delivered already, and wanted again.
    await host.tasks.callbacks.replay(dead!.id);
    await until('received again', () => receiver.received.length === 2);
    expect(receiver.received[1]).toMatchObject({ id: dead!.id, body: receiver.received[0]!.body });
    await ended(dead!.taskId, 'delivered');
  });

  it('is dead at once where the receiver is gone', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    receiver.answer = status(410);
    expect(outcomes(await ended(await finished(host.tasks), 'dead'))).toEqual([410]);
    expect(receiver.received).toHaveLength(1);
  });

  it('gives up on a receiver that answers nothing, or a byte of its head each second, in time', async () => {
    receiver.answer = (response, _, { socket }) => {
      if (receiver.received.length === 3) return void response.writeHead(200).end();
      if (receiver.received.length === 1) return;
      const head = [...'HTTP/1.1 200 OK\r\nx-slow: on and on and on'];
      const timer = setInterval(() => socket.write(head.shift() ?? ' and on'), 300);
      socket.on('close', () => clearInterval(timer)).on('error', () => undefined);
    };
    const callback = await ended(await finished(host.tasks), 'delivered');
    expect(outcomes(callback)).toEqual(['no answer within 1 s', 'no answer within 1 s', 200]);
    for (const { durationMs } of callback.tries.slice(0, 2)) {
      expect(durationMs).toBeGreaterThanOrEqual(990);
      expect(durationMs).toBeLessThan(60_000);
    }
  });

  it('goes by the status, whatever comes after it: a body of a byte a second, of 10 MB, or cut off', async () => {
    let written = 0;
    receiver.answer = (response) => {
      response.on('error', () => undefined);
      const kind = receiver.received.length;
      if (kind === 1) {
        response.writeHead(200, { 'content-length': '1000' });
        const timer = setInterval(() => response.write('x'), 300);
        response.on('close', () => clearInterval(timer));
      } else if (kind === 2) {
        const chunk = Buffer.alloc(65_536);
        const more = (): void => {
          while (written < 10_485_760 && !response.destroyed) {
            written += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', more);
          }
          response.end();
        };
        response.writeHead(200);
        more();
      } else {
        response.writeHead(200, { 'content-length': '1000' }).write('x');
        setTimeout(() => response.destroy(), 20);
      }
    };
    for (const least of [990, 0, 0]) {
      const callback = await ended(await finished(host.tasks), 'delivered');
      expect(outcomes(callback)).toEqual([200]);
      expect(callback.tries[0]!.durationMs).toBeGreaterThanOrEqual(least);
      expect(callback.tries[0]!.durationMs).toBeLessThan(60_000);
    }
    expect(receiver.received).toHaveLength(3);
    // What the sockets between us hold, and not what it had to say: see answer.test.ts.
    expect(written).toBeLessThan(9_000_000);
  });

  it('survives an answer that is no HTTP, headers without end, and a connection that is cut', async () => {
    receiver.answer = (_, __, { socket }) => {
      socket.on('error', () => undefined);
      const kind = receiver.received.length;
      if (kind === 1) socket.end('SSH-2.0-OpenSSH_9.6\r\n');
      else if (kind === 2) socket.end(`HTTP/1.1 200 OK\r\n${'x-much: of the same\r\n'.repeat(5000)}\r\n`);
      else socket.destroy();
    };
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const { tries } = await ended(await finished(host.tasks), 'dead');
    expect(tries.map(({ status: code }) => code)).toEqual([undefined, undefined, undefined]);
    expect(tries[0]!.error).toMatch(/Parse Error/);
    expect(tries[1]!.error).toMatch(/Header overflow|Parse Error/);
    expect(tries[2]!.error).toMatch(/socket hang up|ECONNRESET/);
  });
});
