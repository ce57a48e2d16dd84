import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EventStream, openStream } from '../../support/event-stream.js';
import { BATTERY, type Host, spread, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const part = (input: string, more: object = {}) => ({ input, service: 'parts', ...more });

describe.each(BATTERY)('batches over REST on $engine with $adapter', (where) => {
  let host: Host;
  const alice = (method: string, path: string, json?: unknown, headers?: Record<string, string>) =>
    host.user('alice', method, path, json === undefined ? {} : { json, headers });
  beforeAll(async () => {
    host = await startHost({ ...where, options: { batchUri: '/api/batches' } });
  });
  afterAll(() => host?.close());

  const create = async (json: object) => {
    const { status, body } = await alice('POST', '/api/batches', json);
    expect([status, body.data]).toEqual([200, expect.anything()]);
    return body.data;
  };
  const end = async (status = 30) => {
    const { body } = await host.worker('GET', '/api/crontask?service=parts&attempt=1');
    if (Array.isArray(body.data)) return;
    await host.worker('PUT', `/api/crontask/${body.data.task.taskId}`, {
      json: { status, leaseToken: body.data.task.leaseToken },
    });
  };
  const problem = async (json: unknown) => {
    const { status, body } = await alice('POST', '/api/batches', json);
    return [status, body.data.code, body.data.detail?.[0]?.field];
  };

  it('are created, shown and listed', async () => {
    const made = await create({
      tasks: [part('1', { ref: 'one' }), part('2', { dependsOn: ['one'], args: 'x' })],
      then: part('{{batchId}}'),
    });
    expect(made).toMatchObject({ state: 'running', total: 2, counts: { ready: 1, waiting: 1 }, onFailure: 'finish' });
    expect(made).not.toHaveProperty('userId');
    const { body: task } = await alice('GET', `/api/tasks/${made.taskIds[1]}`);
    expect(task.data).toMatchObject({ batchId: made.batchId, status: 5, args: 'x', input: '2' });
    const shown = { ...made };
    delete shown.taskIds;
    expect((await alice('GET', `/api/batches/${made.batchId}`)).body.data).toEqual(shown);
    const { body: list } = await alice('GET', '/api/batches?limit=1');
    expect(list.data).toMatchObject({ list: [{ batchId: made.batchId, counts: { finished: 0 } }], nextCursor: null });
    const foreign = await host.user('bob', 'GET', `/api/batches/${made.batchId}`);
    expect([foreign.status, foreign.body.data.detail]).toEqual([404, { msg: 'there is no batch with this id' }]);
    const ended = await until('the end', async () => {
      await end();
      const { body } = await alice('GET', `/api/batches/${made.batchId}`);
      return body.data.endedAt ? body.data : undefined;
    });
    expect(ended).toMatchObject({ state: 'finished', counts: { finished: 2 }, progress: 100 });
    const { body: then } = await alice('GET', `/api/tasks/${ended.thenTaskId}`);
    expect(then.data).toMatchObject({ input: made.batchId, service: 'parts' });
    await alice('PUT', `/api/tasks/${ended.thenTaskId}`, { status: -20 });
  });

  it('show their tasks, which of them wait for which, and the layers of the graph', async () => {
    const { batchId, taskIds } = await create({
      tasks: [part('1', { ref: 'one' }), part('2', { dependsOn: ['one'] })],
      seal: false,
    });
    const { body } = await alice('GET', `/api/batches/${batchId}/tasks?limit=1`);
    expect(body.data.list).toEqual([
      { taskId: taskIds[0], ref: 'one', status: 10, service: 'parts', layer: 0, dependsOn: [] },
    ]);
    const next = await alice('GET', `/api/batches/${batchId}/tasks?cursor=${body.data.nextCursor}`);
    expect(next.body.data).toMatchObject({ list: [{ layer: 1, dependsOn: [taskIds[0]] }], nextCursor: null });
    const layers = await alice('GET', `/api/batches/${batchId}/layers`);
    expect(layers.body.data.list.map(({ total }: any) => total)).toEqual([1, 1]);
    for (const path of ['tasks', 'layers'])
      expect((await host.user('bob', 'GET', `/api/batches/${batchId}/${path}`)).status).toBe(404);
    const { body: open } = await alice('GET', '/api/batches?state=open');
    expect(open.data.list.map((batch: any) => batch.batchId)).toEqual([batchId]);
    await alice('PUT', `/api/batches/${batchId}`, { status: -20 });
    await until('the end', async () => (await alice('GET', `/api/batches/${batchId}`)).body.data.endedAt);
  });

  it('take more tasks, are sealed and cancelled', async () => {
    const { batchId } = await create({ tasks: [], seal: false });
    const added = await alice('POST', `/api/batches/${batchId}/tasks`, { tasks: [part('x'), part('y')] });
    expect(added.body.data).toMatchObject({
      state: 'open',
      total: 2,
      taskIds: [expect.any(String), expect.any(String)],
    });
    const sealed = await alice('PUT', `/api/batches/${batchId}`, { seal: true });
    expect(sealed.body.data).toMatchObject({ state: 'running', sealed: true });
    const refused = await alice('POST', `/api/batches/${batchId}/tasks`, { tasks: [part('z')] });
    expect([refused.status, refused.body.data.code]).toEqual([409, 14006]);
    for (const [field, value] of Object.entries({ status: 30, seal: false, staus: -20 })) {
      const { status, body } = await alice('PUT', `/api/batches/${batchId}`, { [field]: value });
      expect([status, body.data.detail[0].field]).toEqual([400, field]);
    }
    await alice('PUT', `/api/batches/${batchId}`, { status: -20 });
    await until('the end', async () => (await alice('GET', `/api/batches/${batchId}`)).body.data.state === 'cancelled');
  });

  it('are created once for an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'batch' };
    const json = { tasks: [part('once')] };
    const first = await alice('POST', '/api/batches', json, headers);
    const second = await alice('POST', '/api/batches', json, headers);
    expect(second.body.data).toEqual(first.body.data);
    await alice('PUT', `/api/batches/${first.body.data.batchId}`, { status: -20 });
  });

  it('refuse what cannot be, naming the field', async () => {
    expect(await problem({})).toEqual([400, 14004, 'tasks']);
    expect(await problem({ tasks: 'x' })).toEqual([400, 14004, 'tasks']);
    expect(await problem({ tasks: [7] })).toEqual([400, 14004, 'tasks[0]']);
    expect(await problem({ tasks: [part('x'), {}] })).toEqual([400, 14004, 'tasks[1].input']);
    expect(await problem({ tasks: [part('x', { userId: 'bob' })] })).toEqual([400, 14004, 'tasks[0].userId']);
    expect(await problem({ tasks: [part('x', { priority: -5 })] })).toEqual([400, 14004, 'tasks[0].priority']);
    expect(await problem({ tasks: [part('x', { ref: 'a', dependsOn: ['a'] })] })).toEqual([
      400,
      14004,
      'tasks[0].dependsOn',
    ]);
    expect(await problem({ tasks: [part('x', { ref: 7 })] })).toEqual([400, 14004, 'tasks[0].ref']);
    expect(await problem({ tasks: [], then: { service: 'x' } })).toEqual([400, 14004, 'then.input']);
    expect(await problem({ tasks: [], then: 'x' })).toEqual([400, 14004, 'then']);
    expect(await problem({ tasks: [], onFailure: 'stop' })).toEqual([400, 14004, 'onFailure']);
    expect(await problem({ tasks: [], seal: 'maybe' })).toEqual([400, 14004, 'seal']);
    expect(await problem({ tasks: [], callbackUrl: 'https://example.com/' })).toEqual([400, 14004, 'callbackUrl']);
    expect(await problem({ tasks: [], sealed: true })).toEqual([400, 14004, 'sealed']);
    const { body } = await alice('POST', '/api/batches', { tasks: [part('x', { dependson: ['x'] })] });
    expect(body.data.detail[0].msg).toBe('tasks[0].dependson is no parameter of this route; did you mean dependsOn?');
  });

  it('are watched live: their tasks, and those that are added', async () => {
    const service = 'watched';
    const made = await create({ tasks: [part('1', { service })], seal: false });
    await create({ tasks: [part('2', { service })] });
    const watch = (user: string, query: string): Promise<EventStream> =>
      openStream(`${host.url}/api/tasks/events?${query}`, { 'x-user': user });
    const stream = await watch('alice', `batchId=${made.batchId}&service=${service}`);
    const foreign = await watch('bob', `batchId=${made.batchId}`);
    await Promise.all([stream.synced(), foreign.synced()]);
    expect(stream.tasks().map(({ taskId }) => taskId)).toEqual(made.taskIds);
    const { body: added } = await alice('POST', `/api/batches/${made.batchId}/tasks`, {
      tasks: [part('3', { service })],
    });
    const [taskId] = added.data.taskIds;
    await stream.event('the one that was added', ({ data }) => data.taskId === taskId);
    await alice('PUT', `/api/batches/${made.batchId}`, { status: -20 });
    for (const id of [...made.taskIds, taskId])
      await stream.event('its end', ({ data }) => data.taskId === id && data.status === -20);
    expect(new Set(stream.tasks().map(({ batchId }) => batchId))).toEqual(new Set([made.batchId]));
    expect(foreign.tasks()).toEqual([]);
    for (const one of [stream, foreign]) one.close();
    const { status, body } = await alice('GET', `/api/tasks/events?batchId=${made.batchId}&ids=${taskId}`);
    expect([status, body.data.detail[0].field]).toEqual([400, 'ids']);
  });
});

describe.each(spread(import.meta))('batches on $engine with $adapter', (where) => {
  it("are not there while batchUri is 'off'", async () => {
    const host = await startHost(where);
    expect((await host.user('alice', 'GET', '/api/batches')).status).toBe(404);
    await host.close();
  });
});
