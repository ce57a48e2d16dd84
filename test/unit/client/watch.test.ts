import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { STATUS, TaskClient, type WatchEvent } from '../../../src/client/index.js';
import { type Host, spread, startHost } from '../../support/host.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

describe.each(spread(import.meta))('A client that watches ($engine, $adapter)', (place) => {
  let host: Host;
  const stops: AbortController[] = [];
  beforeAll(async () => {
    host = await startHost(place);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop.abort();
    await until('no stream is left', () => streams() === 0);
  });
  afterAll(async () => {
    // A fetch that is aborted opens another connection, and never uses it: the server would wait for it.
    (host.app.getHttpServer() as Server).closeAllConnections();
    await host.close();
  });

  const streams = (): number => host.tasks.live.size.streams;
  const clientOf = (user: string, more = {}): TaskClient =>
    new TaskClient({ baseUrl: host.url, headers: { 'x-user': user }, ...more });
  const create = (userId: string, more = {}) =>
    host.tasks.create({ userId, input: 'in', service: 's', status: 10, ...more });
  /** Collects the events of a watch, to its end. */
  function collect(client: TaskClient, query: Parameters<TaskClient['watch']>[0]) {
    const stop = new AbortController();
    stops.push(stop);
    const seen: WatchEvent[] = [];
    const idOf = (one: WatchEvent): string => (one.event === 'removed' ? one.taskId : one.task.taskId);
    const states = (taskId: string): (number | string)[] =>
      seen.filter((one) => idOf(one) === taskId).map((one) => (one.event === 'removed' ? one.event : one.task.status));
    const run = (async () => {
      for await (const event of client.watch(query, { signal: stop.signal })) seen.push(event);
    })();
    run.catch(() => undefined);
    return { seen, states, run, stop };
  }

  it('gets tasks as they are, their changes, and their removal', async () => {
    const { taskId } = await create('a');
    const { states, run, stop } = collect(clientOf('a'), { service: 's' });
    await until('the task', () => states(taskId).length === 1);
    await host.tasks.cancel(taskId);
    await until('the end', () => states(taskId).includes(-20));
    await host.tasks.remove([taskId], { userId: 'a' });
    await until('the removal', () => states(taskId).at(-1) === 'removed');
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
  });

  it('ends with its loop', async () => {
    const { taskId } = await create('b');
    for await (const event of clientOf('b').watch({ ids: [taskId] })) {
      expect(event).toMatchObject({ event: 'task', task: { taskId } });
      break;
    }
    await until('the stream has ended', () => streams() === 0);
  });

  it('comes back over a broken network, and hears what happened meanwhile', async () => {
    const [kept, changed, gone] = [await create('c'), await create('c'), await create('c')];
    const proxy = await TcpProxy.start(host.url);
    const ids = [kept, changed, gone].map(({ taskId }) => taskId);
    const { states, seen } = collect(clientOf('c', { baseUrl: proxy.url }), { service: 's' });
    const byId = collect(clientOf('c', { baseUrl: proxy.url }), { ids });
    await until('all are there', () => [seen, byId.seen].every(({ length }) => length === 3));
    proxy.cut();
    await proxy.mend();
    await until('both are back', () => streams() === 2);
    proxy.cut();
    await host.tasks.cancel(changed.taskId);
    await host.tasks.remove([gone.taskId], { userId: 'c' });
    await proxy.mend();
    for (const each of [states, byId.states]) {
      await until('the change', () => each(changed.taskId).includes(-20));
      await until('the removal', () => each(gone.taskId).includes('removed'));
      expect(each(gone.taskId)).toEqual([10, 'removed']);
    }
    // Once for each snapshot; there was none when nothing had changed.
    expect(states(kept.taskId)).toEqual([10, 10]);
    stops.forEach((stop) => stop.abort());
    proxy.cut();
  });

  it('throws what the server refuses', async () => {
    const next = (query: Parameters<TaskClient['watch']>[0], client = clientOf('d')) => client.watch(query).next();
    await expect(next({})).rejects.toMatchObject({ httpStatus: 400, code: 14004 });
    await expect(next({ service: 's' }, new TaskClient({ baseUrl: host.url }))).rejects.toMatchObject({
      httpStatus: 430,
    });
    expect(() => clientOf('d').watch({ ids: Array(201).fill('x') })).toThrow('at most 200 ids');
    const { seen, states } = collect(clientOf('d'), {
      ids: Array.from({ length: 200 }, (_, n) => `${n}`.padStart(36, '0')),
    });
    await until('all are unknown', () => seen.length === 200);
    expect(states('0'.repeat(36))).toEqual(['removed']);
  });

  it('waits for the ends of many tasks with one stream', async () => {
    const client = clientOf('e');
    const tasks = await Promise.all(Array.from({ length: 30 }, () => create('e')));
    const ends = tasks.map(({ taskId }) => client.waitFor(taskId, { interval: 1000 }));
    await until('a stream', () => streams() === 1 && host.tasks.live.size.tasks === 30);
    for (const { taskId } of tasks) await host.tasks.cancel(taskId);
    for (const end of ends) expect(await end).toMatchObject({ status: STATUS.CANCELLED });
    await until('the stream has ended', () => streams() === 0);
    const one = await create('e');
    const waits = client.waitFor(one.taskId, { interval: 1000 });
    await until('a stream', () => streams() === 1);
    await host.tasks.remove([one.taskId], { userId: 'e' });
    await expect(waits).rejects.toMatchObject({ httpStatus: 404 });
  });
});

describe('A client of an older server', () => {
  it('waits by asking', async () => {
    let looks = 0;
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url!);
      const isLook = request.url === '/api/tasks/x';
      const data = isLook ? { taskId: 'x', status: ++looks < 6 ? 20 : 30 } : { code: 14001, msg: 'not found' };
      response.writeHead(isLook ? 200 : 404).end(JSON.stringify({ status: isLook ? 1 : 0, data }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const client = new TaskClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    expect(await client.waitFor('x')).toMatchObject({ status: 30 });
    server.closeAllConnections();
    server.close();
    expect(paths.filter((path) => path.startsWith('/api/tasks/events'))).toEqual(['/api/tasks/events?ids=x']);
  });
});
