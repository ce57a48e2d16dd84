import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { TaskQueue } from '../../src/task.bootstrap.js';
import { connect, openQueue } from '../unit/schema/fixtures/queue.js';
import { createDatabase, describeOn, ENGINES, type TestDatabase } from '../support/databases.js';
import { type RunningServer, startServer } from '../support/server.js';
import { until } from '../support/until.js';
import { finished, finishMany } from '../unit/callbacks/fixtures/ends.js';
import { type Receiver, startReceiver } from '../unit/callbacks/fixtures/receiver.js';

const MORTAL = resolve(import.meta.dirname, '../unit/callbacks/fixtures/dies-after-commit.mjs');

let database: TestDatabase;
let receiver: Receiver;
let servers: RunningServer[];
const withServers = () => {
  beforeEach(async () => {
    receiver = await startReceiver();
    servers = [];
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop('SIGKILL')));
    await receiver.close();
    await database.drop();
  });
};

async function serve(more: Record<string, string> = {}): Promise<RunningServer> {
  const server = await startServer({
    DATABASE_URL: database.url,
    TASK_CALLBACK_URL: receiver.url,
    // A lease of eleven seconds: twice that, and five.
    TASK_CALLBACK_TIMEOUT: '3',
    TASK_CALLBACK_RETRY: '{"delays":[1,1,1,1],"jitter":0}',
    ...more,
  });
  servers.push(server);
  return server;
}

/** A queue of this process that ends tasks, and delivers nothing. */
async function withWriter<R>(work: (queue: TaskQueue) => Promise<R>): Promise<R> {
  const dataSource: DataSource = await connect(database);
  const queue = await openQueue(dataSource, { callbackUrl: receiver.url, dispatchCallbacks: false, migrate: true });
  try {
    return await work(queue);
  } finally {
    await queue.close();
    await dataSource.destroy();
  }
}
const counts = () => withWriter((queue) => queue.service.callbacks.counts());
const tasksIn = ({ received }: Receiver): string[] => received.map(({ notice }) => notice.data.taskId as string);

describe.each(ENGINES)('kill -9 on %s', (engine) => {
  withServers();

  it('between the commit and the POST: the next process delivers', async () => {
    database = await createDatabase(engine);
    const options = { callbackUrl: receiver.url };
    const child = spawn(process.execPath, [MORTAL], {
      env: {
        PATH: process.env.PATH,
        HOST: JSON.stringify({ database: { ...database.options(), driver: undefined }, options }),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const signal = await new Promise((end) => child.once('close', (_, name) => end(name)));
    expect(signal).toBe('SIGKILL');
    expect(receiver.received).toEqual([]);
    expect(await counts()).toMatchObject({ pending: 1 });

    await serve();
    await until('delivered', () => receiver.received.length === 1);
    const [{ notice }] = receiver.received as [Receiver['received'][0]];
    expect(notice).toMatchObject({ type: 'task.finished', data: { status: 30, output: 'out' } });
    await servers[0]!.stop();
    expect(await counts()).toEqual({ pending: 0, delivered: 1, dead: 0 });
    expect(receiver.received).toHaveLength(1);
  });

  it('between the POST and its record: delivered again once the lease is over, under the same id', async () => {
    database = await createDatabase(engine);
    const taskId = await withWriter((queue) => finished(queue.service));
    // It has the notice, and its answer never comes.
    receiver.answer = (response) => receiver.received.length > 1 && response.end();
    const quick = { TASK_CALLBACK_TIMEOUT: '1' };
    const first = await serve(quick);
    await until('received', () => receiver.received.length === 1);
    expect(await first.stop('SIGKILL')).toBe('SIGKILL');
    await serve(quick);
    await until('received again', () => receiver.received.length === 2);
    const [one, two] = receiver.received;
    expect(tasksIn(receiver)).toEqual([taskId, taskId]);
    expect([two!.id, two!.body]).toEqual([one!.id, one!.body]);
    await servers[1]!.stop();
    await withWriter(async ({ service }) => {
      const { list } = await service.callbacks.list();
      expect(list).toMatchObject([{ id: one!.id, state: 'delivered', attempts: 2 }]);
      const [killed, heard] = list[0]!.tries;
      expect(killed).toMatchObject({ error: expect.stringContaining('was killed'), durationMs: 7000 });
      // It began when the receiver had it, and not when its lease was over.
      expect(Math.abs(Date.parse(killed!.time) - Number(one!.headers['webhook-timestamp']) * 1000)).toBeLessThan(
        15_000,
      );
      expect(heard).toMatchObject({ status: 200 });
      // Of this try, not of the first.
      expect(Number(two!.headers['webhook-timestamp'])).toBeGreaterThan(Number(one!.headers['webhook-timestamp']));
      expect(list[0]!.tries).toHaveLength(2);
    });
  });

  it('SIGTERM in a try: the try ends, is written down, and is not made again', async () => {
    database = await createDatabase(engine);
    await withWriter((queue) => finished(queue.service));
    receiver.answer = (response) => void setTimeout(() => response.end(), 500);
    const server = await serve();
    await until('received', () => receiver.received.length === 1);
    expect(await server.stop('SIGTERM')).toBe(0);
    expect(await counts()).toEqual({ pending: 0, delivered: 1, dead: 0 });
    expect(receiver.received).toHaveLength(1);
  });
});

describeOn('mysql', 'postgres')('two processes on %s', (engine) => {
  withServers();

  /** What one process gives one origin at once, before and after it has answered. */
  const AT_ONCE = { first: 2, then: 8 } as const;

  /** Starts two, and lets go of what they were kept waiting with once both have all that they can have in hand. */
  async function share(answer: Receiver['answer']): Promise<void> {
    const held: (() => void)[] = [];
    receiver.answer = (...got) => void held.push(() => answer(...got));
    await Promise.all([serve(), serve()]);
    await until('both are at work', () => held.length === 2 * AT_ONCE.first);
    receiver.answer = answer;
    for (const go of held) go();
  }

  it('share a thousand callbacks: each is delivered, by one of them, once', async () => {
    const TOTAL = 1000;
    database = await createDatabase(engine);
    const ids = await withWriter((queue) => finishMany(queue.service, TOTAL));
    await share((response) => void response.end());
    await until('all are delivered', () => receiver.received.length >= TOTAL);
    await Promise.all(servers.map((server) => server.stop()));
    expect(receiver.received).toHaveLength(TOTAL);
    expect(new Set(tasksIn(receiver))).toEqual(new Set(ids));
    expect(await counts()).toEqual({ pending: 0, delivered: TOTAL, dead: 0 });
  });

  it('of which one is killed lose none, and deliver twice only what that one had in hand', async () => {
    const TOTAL = 300;
    database = await createDatabase(engine);
    await withWriter(async ({ service }) => {
      const ids = await finishMany(service, TOTAL);
      await share((response) => {
        if (receiver.received.length === TOTAL / 4) servers[0]!.process.kill('SIGKILL');
        setTimeout(() => response.end(), 5);
      });
      const delivered = async (): Promise<boolean> => (await service.callbacks.counts()).delivered === TOTAL;
      await until('all are delivered', delivered);
      expect(servers[0]!.process.signalCode).toBe('SIGKILL');
      expect(new Set(tasksIn(receiver))).toEqual(new Set(ids));
    });
    const doubles = receiver.received.length - TOTAL;
    expect(doubles).toBeLessThanOrEqual(AT_ONCE.then);
    // By the id a receiver knows them.
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(TOTAL);
  });
});
