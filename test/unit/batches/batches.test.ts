import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { workOff } from './fixtures/ends.js';

const { INIT, BEGIN, FINISHED, ERROR, CANCELLED } = TASK_STATUS;
const alice = { userId: 'alice' };
const NONE = { waiting: 0, ready: 0, running: 0, finished: 0, failed: 0, cancelled: 0 };
const tasks = (count: number) => Array.from({ length: count }, (_, index) => ({ input: `${index}` }));

describe.each(PLACES)('batches on $engine', (where) => {
  let host: Host;
  beforeAll(async () => {
    const callbackUrl = 'http://127.0.0.1:9/hook';
    host = await startHost({
      ...where,
      options: { callbackUrl, dispatchCallbacks: false },
    });
  });
  afterAll(() => host?.close());

  const query = (text: string): Promise<any> => host.app.get(DataSource).query(text);
  const end = async (taskId: string, status: number = FINISHED) => {
    const [claimed] = await host.tasks.claim({ taskId });
    await host.tasks.report(taskId, { leaseToken: claimed!.leaseToken!, status });
  };
  const notices = async (batchId: string) => (await host.tasks.callbacks.list({ taskId: batchId })).list;

  it('count their tasks, and end with the last one', async () => {
    const made = await host.tasks.batches.create({ tasks: tasks(3) }, alice);
    expect(made).toMatchObject({
      userId: 'alice',
      state: 'running',
      total: 3,
      counts: { ...NONE, ready: 3 },
      progress: 0,
      onFailure: 'finish',
      sealed: true,
      endedAt: null,
    });
    const { batchId, taskIds } = made;
    expect((await host.tasks.get(taskIds[0]!)).toResponse()).toMatchObject({ batchId, status: BEGIN, input: '0' });
    await host.tasks.claim({ taskId: taskIds[1]! });
    await end(taskIds[0]!);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({
      state: 'running',
      counts: { ...NONE, ready: 1, running: 1, finished: 1 },
      progress: 33,
    });
    expect(await notices(batchId)).toEqual([]);
    await host.tasks.cancel(taskIds[1]!);
    await end(taskIds[2]!);
    const ended = await host.tasks.batches.get(batchId);
    expect(ended).toMatchObject({ state: 'cancelled', counts: { ...NONE, finished: 2, cancelled: 1 }, progress: 100 });
    expect(ended.endedAt).toBeInstanceOf(Date);
    const [notice, ...others] = await notices(batchId);
    expect([notice!.type, others]).toEqual(['batch.finished', []]);
    expect(JSON.parse((await host.tasks.callbacks.get(notice!.id)).body)).toEqual({
      type: 'batch.finished',
      timestamp: ended.endedAt!.toISOString(),
      data: {
        batchId,
        state: 'cancelled',
        total: 3,
        counts: { finished: 2, failed: 0, cancelled: 1 },
        thenTaskId: null,
      },
    });
  });

  it('create a task in the transaction that ends the last one', async () => {
    const then = { input: 'join {{batchId}}', args: '{{batchState}}', service: 'join' };
    const { batchId } = await host.tasks.batches.create({ tasks: tasks(5), then }, alice);
    await workOff(host, batchId);
    const { thenTaskId } = await host.tasks.batches.get(batchId);
    const [claimed, ...others] = await host.tasks.claim({ service: 'join', limit: 10 });
    expect([claimed?.taskId, others]).toEqual([thenTaskId, []]);
    expect(claimed).toMatchObject({ input: `join ${batchId}`, args: 'finished', userId: 'alice', batchId: null });
  });

  it('without tasks end at once', async () => {
    const then = { input: 'nothing to do', service: 'empty' };
    const made = await host.tasks.batches.create({ tasks: [], then }, alice);
    expect(made).toMatchObject({ state: 'finished', total: 0, progress: 100, taskIds: [] });
    expect(await host.tasks.claim({ service: 'empty' })).toHaveLength(1);
    expect(await notices(made.batchId)).toHaveLength(1);
  });

  it('take more tasks until they are sealed', async () => {
    const { batches } = host.tasks;
    const { batchId, taskIds } = await batches.create({ tasks: tasks(1), seal: false }, alice);
    await end(taskIds[0]!);
    expect(await batches.get(batchId)).toMatchObject({ state: 'open', progress: 100, endedAt: null });
    const added = await batches.add(batchId, tasks(2), alice);
    expect(added).toMatchObject({ state: 'open', total: 3, counts: { ...NONE, ready: 2, finished: 1 } });
    for (const taskId of added.taskIds) await end(taskId);
    expect(await notices(batchId)).toEqual([]);
    expect(await batches.seal(batchId, alice)).toMatchObject({ state: 'finished', sealed: true });
    expect(await batches.seal(batchId, alice)).toMatchObject({ state: 'finished' });
    expect(await notices(batchId)).toHaveLength(1);
    expect(await failure(batches.add(batchId, tasks(1), alice))).toEqual(['INVALID_STATE']);
    expect(await failure(batches.add(batchId, tasks(1), { userId: 'bob' }))).toEqual(['NOT_FOUND']);
  });

  it('open again when a failed task runs again, and tell of the next end anew', async () => {
    const then = { input: 'x', service: 'again' };
    const { batchId, taskIds } = await host.tasks.batches.create({ tasks: tasks(2), then }, alice);
    await end(taskIds[0]!);
    await end(taskIds[1]!, ERROR);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({
      state: 'failed',
      counts: { ...NONE, finished: 1, failed: 1 },
    });
    await host.tasks.retry(taskIds[1]!);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({
      state: 'running',
      counts: { ...NONE, finished: 1, ready: 1 },
      endedAt: null,
    });
    await end(taskIds[1]!);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({
      state: 'finished',
      counts: { ...NONE, finished: 2 },
    });
    const ids = (await notices(batchId)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(await host.tasks.claim({ service: 'again', limit: 10 })).toHaveLength(2);
  });

  it('count a deleted task as cancelled, once, and keep its others until the end', async () => {
    const { batchId, taskIds } = await host.tasks.batches.create({ tasks: tasks(3) }, alice);
    await end(taskIds[0]!);
    await host.tasks.remove([taskIds[0]!, taskIds[1]!], alice);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({
      state: 'running',
      counts: { ...NONE, ready: 1, finished: 1, cancelled: 1 },
    });
    await end(taskIds[2]!);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({ state: 'cancelled', total: 3 });
  });

  it('are cancelled with what has not ended', async () => {
    const { batches } = host.tasks;
    const given = [...tasks(450), { input: 'draft', status: INIT }];
    const { batchId, taskIds } = await batches.create({ tasks: given, seal: false }, alice);
    await end(taskIds[0]!);
    await host.tasks.claim({ taskId: taskIds[1]! });
    expect(await failure(batches.cancel(batchId, { userId: 'bob' }))).toEqual(['NOT_FOUND']);
    await batches.cancel(batchId, alice);
    const ended = await until('the end', async () => {
      const batch = await batches.get(batchId);
      return batch.endedAt ? batch : undefined;
    });
    expect(ended).toMatchObject({ state: 'cancelled', counts: { ...NONE, finished: 1, cancelled: 450 } });
    expect((await host.tasks.get(taskIds[1]!)).status).toBe(CANCELLED);
    expect(await batches.cancel(batchId, alice)).toMatchObject({ state: 'cancelled' });
    expect(await notices(batchId)).toHaveLength(1);
    const done = await batches.create({ tasks: [] }, alice);
    expect(await failure(batches.cancel(done.batchId, alice))).toEqual(['INVALID_STATE']);
  });

  it('are cancelled by their first failed task, if they are to be', async () => {
    const { batches } = host.tasks;
    const { batchId, taskIds } = await batches.create({ tasks: tasks(30), onFailure: 'cancel' }, alice);
    await end(taskIds[3]!);
    await end(taskIds[7]!, ERROR);
    await until('the end', async () => (await batches.get(batchId)).endedAt);
    expect(await batches.get(batchId)).toMatchObject({
      state: 'failed',
      counts: { ...NONE, finished: 1, failed: 1, cancelled: 28 },
    });
  });

  it('are cancelled again after a task of theirs has run again', async () => {
    const { batches } = host.tasks;
    const ended = (batchId: string) =>
      until('the end', async () => {
        const batch = await batches.get(batchId);
        return batch.endedAt ? batch : undefined;
      });
    const byOwner = await batches.create({ tasks: tasks(3) }, alice);
    for (let round = 0; round < 2; round++) {
      await batches.cancel(byOwner.batchId, alice);
      expect(await ended(byOwner.batchId)).toMatchObject({ state: 'cancelled', counts: { ...NONE, cancelled: 3 } });
      await host.tasks.retry(byOwner.taskIds[0]!);
      expect(await batches.get(byOwner.batchId)).toMatchObject({ state: 'running', counts: { ready: 1 } });
    }
    const byFailure = await batches.create({ tasks: tasks(3), onFailure: 'cancel' }, alice);
    await end(byFailure.taskIds[0]!, ERROR);
    await ended(byFailure.batchId);
    for (const taskId of byFailure.taskIds) await host.tasks.retry(taskId);
    await end(byFailure.taskIds[1]!, ERROR);
    expect(await ended(byFailure.batchId)).toMatchObject({ counts: { ...NONE, failed: 1, cancelled: 2 } });
  });

  it('are created once for an Idempotency-Key', async () => {
    const { batches } = host.tasks;
    const key = { ...alice, idempotencyKey: 'batch 1' };
    const made = await batches.create({ tasks: tasks(3) }, key);
    expect(await batches.create({ tasks: tasks(3) }, key)).toEqual(made);
    expect(await failure(batches.create({ tasks: tasks(2) }, key))).toEqual(['IDEMPOTENCY_CONFLICT']);
    await batches.cancel(made.batchId);
  });

  it('are listed by owner, newest first', async () => {
    const { batches } = host.tasks;
    const carol = { userId: 'carol' };
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.unshift((await batches.create({ tasks: tasks(1) }, carol)).batchId);
    const first = await batches.list({ ...carol, limit: 3 });
    const second = await batches.list({ ...carol, limit: 3, cursor: first.nextCursor! });
    expect([...first.list, ...second.list].map(({ batchId }) => batchId)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
    expect((await batches.list({ limit: 1000 })).list.length).toBeGreaterThan(5);
    expect(first.list[0]).toMatchObject({
      state: 'running',
      total: 1,
      counts: { finished: 0, failed: 0, cancelled: 0 },
    });
    expect(await failure(batches.get(ids[0]!, alice))).toEqual(['NOT_FOUND']);
  });

  it('count what plain SQL has ended or deleted', async () => {
    const { batchId, taskIds } = await host.tasks.batches.create({ tasks: tasks(4) }, alice);
    await query(`UPDATE tasks SET status = 30 WHERE id = '${taskIds[0]}'`);
    await query(`UPDATE tasks SET status = -10 WHERE id = '${taskIds[1]}'`);
    await query(`DELETE FROM tasks WHERE id = '${taskIds[2]}'`);
    expect((await host.tasks.batches.get(batchId)).counts).toEqual({
      ...NONE,
      ready: 1,
      finished: 1,
      failed: 1,
      cancelled: 1,
    });
    await end(taskIds[3]!);
    const ended = await until('the end', async () => {
      const batch = await host.tasks.batches.get(batchId);
      return batch.endedAt ? batch : undefined;
    });
    expect(ended).toMatchObject({ state: 'failed', counts: { ...NONE, finished: 2, failed: 1, cancelled: 1 } });
    expect(await notices(batchId)).toHaveLength(1);
  });

  it('commit and roll back with the transaction of their caller', async () => {
    const dataSource = host.app.get(DataSource);
    let batchId = '';
    const rolledBack = dataSource.transaction(async (manager) => {
      ({ batchId } = await host.tasks.batches.create({ tasks: tasks(2) }, { ...alice, manager }));
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect(await failure(host.tasks.batches.get(batchId))).toEqual(['NOT_FOUND']);
    await dataSource.transaction(async (manager) => {
      ({ batchId } = await host.tasks.batches.create({ tasks: tasks(2) }, { ...alice, manager }));
    });
    await workOff(host, batchId);
    expect(await host.tasks.batches.get(batchId)).toMatchObject({ state: 'finished', total: 2 });
  });
});
