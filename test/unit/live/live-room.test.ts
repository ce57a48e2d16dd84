import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LiveStore } from '../../../src/live/live.store.js';
import { dataOf } from '../../support/answers.js';
import { type EventStream, openStream } from '../../support/event-stream.js';
import { describeOn } from '../../support/databases.js';
import { type Host, PLACES, spread, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const IDLE = 1000;
const OWNERS = 60;

/** A stream over a socket of its own, as cheap as can be. Resolves once the snapshot has come. */
function rawStream(host: Host, user: string, query: string): Promise<Socket> {
  const { hostname, port } = new URL(host.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.once('error', reject).once('close', () => reject(new Error(`closed after ${text}`)));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('event: synced')) resolve(socket);
    });
    socket.write(`GET /api/tasks/events?${query} HTTP/1.1\r\nHost: here\r\nx-user: ${user}\r\n\r\n`);
  });
}

const size = (host: Host) => host.tasks.live.size;
const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(PLACES)('Event streams on $engine with $adapter', (place) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...place, options: { maxStreams: IDLE, maxStreamsPerOwner: 25 } });
  });
  afterAll(() => host.close());
  afterEach(() => void jest.restoreAllMocks());

  it(`looks once for ${IDLE} idle streams, with one statement, and not at all without a stream`, async () => {
    const { taskId } = await host.tasks.create({ userId: 'u0', input: 'in', service: 's' });
    let [looks, statements] = [0, 0];
    const { look } = LiveStore.prototype;
    jest.spyOn(LiveStore.prototype, 'look').mockImplementation(function* (this: LiveStore, ...asked) {
      looks++;
      const script = look.apply(this, asked);
      let step = script.next();
      while (!step.done) {
        statements += Array.isArray(step.value) ? step.value.length : 1;
        step = script.next(yield step.value);
      }
      return step.value;
    });
    await rest(1500);
    expect(looks).toBe(0);
    const sockets: Socket[] = [];
    for (let from = 0; from < IDLE; from += 50) {
      const some = Array.from({ length: 50 }, (_, index) => from + index);
      sockets.push(
        ...(await Promise.all(
          some.map((n) => rawStream(host, `u${n % OWNERS}`, n % 2 ? `ids=${taskId},x${n}` : 'service=s')),
        )),
      );
    }
    expect(size(host)).toEqual({ streams: IDLE, tasks: 1 });
    [looks, statements] = [0, 0];
    const began = performance.now();
    await until('several looks', () => looks >= 4);
    // Each look comes at least 490 ms after the one before.
    expect(looks).toBeLessThanOrEqual(Math.ceil((performance.now() - began) / 490) + 1);
    expect(statements).toBe(looks);
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
    await until('all are gone', () => size(host).streams === 0);
    expect(size(host).tasks).toBe(0);
    const before = looks;
    await rest(1500);
    // One may have been under way.
    expect(looks - before).toBeLessThanOrEqual(1);
  });

  it('forgets 500 clients that vanish while their tasks change', async () => {
    const tasks = await host.tasks.createMany(
      Array.from({ length: 50 }, (_, n) => ({ userId: `v${n}`, input: 'in', service: 's', status: 10 })),
    );
    const sockets = await Promise.all(
      tasks.flatMap(({ userId, taskId }) =>
        Array.from({ length: 10 }, (_, n) => rawStream(host, userId, n % 2 ? `ids=${taskId}` : 'service=s')),
      ),
    );
    expect(size(host)).toEqual({ streams: 500, tasks: 50 });
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
    for (const { taskId } of tasks) await host.tasks.cancel(taskId);
    await until('all are gone', () => size(host).streams === 0);
    expect(size(host)).toEqual({ streams: 0, tasks: 0 });
  });
});

describe.each(spread(import.meta))('One owner, $engine, $adapter', (place) => {
  let host: Host;
  const open: EventStream[] = [];
  beforeAll(async () => {
    host = await startHost({ ...place, options: { maxStreams: 5, maxStreamsPerOwner: 3 } });
  });
  afterEach(async () => {
    open.splice(0).forEach((stream) => stream.close());
    await until('all are gone', () => size(host).streams === 0);
  });
  afterAll(() => host.close());
  const watch = async (user: string, query: string, headers = {}): Promise<EventStream> => {
    const stream = await openStream(`${host.url}/api/tasks/events?${query}`, { 'x-user': user, ...headers });
    open.push(stream);
    return stream;
  };

  it('has no more streams than it may, nor all owners together', async () => {
    const status = async (user: string): Promise<number> => (await watch(user, 'service=s')).status;
    expect([await status('a'), await status('a'), await status('a'), await status('a')]).toEqual([200, 200, 200, 429]);
    expect([await status('b'), await status('b'), await status('b')]).toEqual([200, 200, 429]);
    const refused = await host.user('c', 'GET', '/api/tasks/events?service=s');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(refused.body.data.detail.msg).toContain('5 event streams are open');
    open[0]!.close();
    await until('a place is free', async () => (await watch('c', 'service=s')).status === 200);
  });

  it('has a stream until its token expires', async () => {
    const exp = Math.ceil(Date.now() / 1000) + 1;
    const stream = await watch('a', 'service=s', { 'x-exp': String(exp) });
    await stream.synced();
    expect(stream.isOver).toBe(false);
    await until('the end', () => stream.isOver);
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000 - 50);
  });

  it('gets the newest state of each task when it reads slowly', async () => {
    const count = 300;
    const input = 'x'.repeat(60_000);
    const tasks = await host.tasks.createMany(
      Array.from({ length: count }, () => ({ userId: 'slow', input, service: 'slow', status: 10 })),
    );
    const { hostname, port } = new URL(host.url);
    const socket = connect(Number(port), hostname);
    socket.write('GET /api/tasks/events?service=slow HTTP/1.1\r\nHost: here\r\nx-user: slow\r\n\r\n');
    await until('it is open', () => size(host).streams === 1);
    for (let progress = 1; progress <= 3; progress++) {
      await rest(700);
      await host.tasks.dataSource.query(`UPDATE tasks SET progress = ${progress} WHERE user_id = 'slow'`);
    }
    await rest(1500);
    const newest = new Map<string, number>();
    let [text, states] = ['', 0];
    socket.on('data', (chunk) => {
      const events = (text + chunk.toString('latin1')).split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        const [, taskId, progress] = /"taskId":"([^"]+)".*?"progress":(\d+)/.exec(event) ?? [];
        if (taskId) newest.set(taskId, Number(progress));
        states += taskId ? 1 : 0;
      }
    });
    await until('all are up to date', () => tasks.every(({ taskId }) => newest.get(taskId) === 3));
    // What the system's own buffers had taken came twice. Nothing came for each of the four states.
    expect(states).toBeLessThan(2 * count);
    socket.destroy();
  });
});

describeOn('mysql', 'postgres')('Two processes, %s', (engine) => {
  const place = { engine, adapter: 'express' } as const;
  it('see what the other one commits', async () => {
    const host = await startHost(place);
    const other = await startHost({ ...place, database: host.database });
    const stream = await openStream(`${host.url}/api/tasks/events?service=s`, { 'x-user': 'a' });
    try {
      const task = await host.tasks.create({ userId: 'a', input: 'in', service: 's', status: 10 });
      await stream.event('the task', ({ data }) => data.taskId === task.taskId);
      await other.tasks.cancel(task.taskId);
      await stream.event('the end', ({ data }) => data.status === -20);
      const fresh = await other.tasks.create({ userId: 'a', input: 'in', service: 's' });
      await stream.event('a new one', ({ data }) => data.taskId === fresh.taskId);
      dataOf(await other.user('a', 'DELETE', '/api/tasks', { json: { ids: [fresh.taskId] } }));
      await stream.event('the removal', ({ event, data }) => event === 'removed' && data.taskId === fresh.taskId);
    } finally {
      stream.close();
      await other.close();
      await host.close();
    }
  });
});

it.each(spread(import.meta))('A process that stops ends its streams ($engine, $adapter)', async (place) => {
  const host = await startHost(place);
  const stream = await openStream(`${host.url}/api/tasks/events?service=s`, { 'x-user': 'a' });
  await stream.synced();
  await host.close();
  await until('the end', () => stream.isOver);
});
