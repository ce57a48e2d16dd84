import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Entity } from 'typeorm';
import { Task, type TaskCallback, type TaskJson, TASK_STATUS } from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';
import { claimed, finished, finishMany } from './fixtures/ends.js';

const URL = 'http://127.0.0.1:9/done';
const { BEGIN, FINISHED, ERROR, CANCELLED } = TASK_STATUS;

describe.each(PLACES)('the outbox on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    // Written, and left alone: what is in the outbox is what is looked at here.
    host = await startHost({ ...where, options: { callbackUrl: URL, dispatchCallbacks: false, maxAttempts: 1 } });
  });
  afterAll(() => host?.close());

  const written = async (taskId: string): Promise<TaskCallback[]> =>
    (await host.tasks.callbacks.list({ taskId })).list.reverse();
  const types = async (taskId: string): Promise<string[]> => (await written(taskId)).map(({ type }) => type);

  it('holds one notice of a task that finished: the task as GET shows it, when it ended, and where it goes', async () => {
    const taskId = await finished(host.tasks);
    const [callback, ...others] = await written(taskId);
    expect(others).toEqual([]);
    expect(callback).toMatchObject({
      taskId,
      type: 'task.finished',
      url: URL,
      state: 'pending',
      attempts: 0,
      tries: [],
    });
    expect(callback!.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/);
    expect(Math.abs(callback!.dueAt!.getTime() - Date.now())).toBeLessThan(30_000);
    expect(callback!.createdAt).toEqual(callback!.dueAt);
    expect(callback!.endedAt).toBeNull();
    const shown = (await host.user('alice', 'GET', `/api/tasks/${taskId}`)).body.data;
    expect(JSON.parse((await host.tasks.callbacks.get(callback!.id)).body)).toEqual({
      type: 'task.finished',
      timestamp: shown.finishedAt,
      data: { ...shown, callbackUrl: URL },
    });
  });

  it('holds one of each other end: a failure, attempts used up, a lapsed lease, cancelling by a user and by the host', async () => {
    const failed = await claimed(host.tasks);
    await host.worker('PUT', `/api/crontask/${failed.taskId}`, {
      json: { leaseToken: failed.leaseToken, status: ERROR, error: 'no' },
    });
    expect(await types(failed.taskId)).toEqual(['task.failed']);

    const usedUp = await claimed(host.tasks);
    await host.tasks.report(usedUp.taskId, { leaseToken: usedUp.leaseToken, status: ERROR, retry: true });
    expect(await types(usedUp.taskId)).toEqual(['task.failed']);

    const lapsed = await host.tasks.create({ userId: 'alice', input: 'in', status: BEGIN });
    await host.tasks.claim({ taskId: lapsed.taskId, lease: 1 });
    await until('the lease has lapsed', async () => (await host.tasks.get(lapsed.taskId)).status === ERROR);
    expect(await types(lapsed.taskId)).toEqual(['task.failed']);

    const byUser = await host.tasks.create({ userId: 'alice', input: 'in' });
    await host.user('alice', 'PUT', `/api/tasks/${byUser.taskId}`, { json: { status: CANCELLED } });
    expect(await types(byUser.taskId)).toEqual(['task.cancelled']);

    const byHost = await claimed(host.tasks);
    await host.tasks.cancel(byHost.taskId);
    expect(await types(byHost.taskId)).toEqual(['task.cancelled']);
  });

  it('holds nothing of what is no end, and no second one of an end that is told again', async () => {
    const { taskId, leaseToken } = await claimed(host.tasks);
    await host.tasks.report(taskId, { leaseToken, progress: 50 });
    await host.tasks.release(taskId, { leaseToken });
    expect(await types(taskId)).toEqual([]);
    const [again] = await host.tasks.claim({ taskId, lease: 60 });
    const end = { leaseToken: again!.leaseToken!, status: FINISHED };
    await Promise.all([host.tasks.report(taskId, end), host.tasks.report(taskId, end)]);
    await host.tasks.report(taskId, end);
    expect(await types(taskId)).toEqual(['task.finished']);

    // A worker of the original's form, whose lost answer is asked again, and which knew of no lease.
    const old = await host.tasks.create({ userId: 'alice', input: 'in', status: BEGIN });
    await host.tasks.claim({ taskId: old.taskId, legacy: true });
    for (const error of ['no', 'still no']) await host.tasks.report(old.taskId, { status: ERROR, error });
    expect(await types(old.taskId)).toEqual(['task.failed']);
    await host.tasks.report(old.taskId, { status: FINISHED });
    expect(await types(old.taskId)).toEqual(['task.failed', 'task.finished']);
  });

  it('holds a notice of each end of a task that runs again, each with an id of its own', async () => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in' });
    await host.tasks.cancel(taskId);
    await host.tasks.retry(taskId);
    await host.tasks.cancel(taskId);
    const callbacks = await written(taskId);
    expect(callbacks.map(({ type }) => type)).toEqual(['task.cancelled', 'task.cancelled']);
    expect(new Set(callbacks.map(({ id }) => id)).size).toBe(2);
  });

  it("is in the host's own transaction: there if it commits, and gone if it rolls back", async () => {
    const [kept, undone] = [await claimed(host.tasks), await claimed(host.tasks)];
    const { dataSource } = host.tasks;
    await dataSource.transaction(async (manager) => {
      await host.tasks.cancel(kept.taskId, { manager });
      if (where.engine !== 'sqlite') expect(await types(kept.taskId)).toEqual([]);
    });
    expect(await types(kept.taskId)).toEqual(['task.cancelled']);
    const failing = dataSource.transaction(async (manager) => {
      await host.tasks.cancel(undone.taskId, { manager });
      throw new Error('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    expect(await types(undone.taskId)).toEqual([]);
  });

  it('holds all of a batch, and outlives the task', async () => {
    const before = (await host.tasks.callbacks.counts()).pending;
    const ids = await finishMany(host.tasks, 150);
    expect((await host.tasks.callbacks.counts()).pending).toBe(before + 150);
    await host.tasks.remove(ids.slice(0, 1), { userId: 'alice' });
    expect(await types(ids[0]!)).toEqual(['task.finished']);
  });

  it('takes the longest texts, of any characters', async () => {
    const text = '"\\\u0001🌍'.repeat(9362);
    const { taskId, leaseToken } = await claimed(host.tasks, { input: text, args: text });
    await host.tasks.report(taskId, { leaseToken, status: FINISHED, temp: text, output: text, error: text });
    const [{ id }] = (await written(taskId)) as [TaskCallback];
    const { data } = JSON.parse((await host.tasks.callbacks.get(id)).body);
    expect([data.input, data.args, data.temp, data.output, data.error].every((part) => part === text)).toBe(true);
  });
});

describe.each([
  ['deliverCallbacks is off', { callbackUrl: URL, deliverCallbacks: false }],
  ['there is no callbackUrl', {}],
  ['the function of the task answers none', { callbackUrl: () => undefined }],
])('where %s', (_, options) => {
  it.each(PLACES)('nothing is written on $engine', async (where) => {
    const host = await startHost({ ...where, options });
    try {
      const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: BEGIN });
      const claim = await host.worker('GET', '/api/crontask', { query: { taskId } });
      const handed = 'callbackUrl' in options && typeof options.callbackUrl === 'string' ? URL : '';
      expect([claim.body.data.updateUrl, claim.body.data.task.callbackUrl]).toEqual([handed, handed]);
      await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: FINISHED } });
      expect(await host.tasks.callbacks.counts()).toEqual({ pending: 0, delivered: 0, dead: 0 });
    } finally {
      await host.close();
    }
  });
});

describe('a callbackUrl that is a function of the task', () => {
  it('sends each task where it says, and hands workers the same', async () => {
    const callbackUrl = ({ userId }: { userId: string }) => `http://127.0.0.1:9/${userId}`;
    const host = await startHost({ ...PLACES[0]!, options: { callbackUrl, dispatchCallbacks: false } });
    try {
      const { taskId } = await host.tasks.create({ userId: 'bob', input: 'in', status: BEGIN });
      const claim = await host.worker('GET', '/api/crontask', { query: { taskId } });
      expect(claim.body.data.updateUrl).toBe('http://127.0.0.1:9/bob');
      expect(claim.body.data.task.callbackUrl).toBe('http://127.0.0.1:9/bob');
      await host.tasks.report(taskId, { status: FINISHED });
      expect((await host.tasks.callbacks.list({ taskId })).list).toMatchObject([{ url: 'http://127.0.0.1:9/bob' }]);
    } finally {
      await host.close();
    }
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('the host is wrong');
      },
      'the host is wrong',
    ],
    ['answers a promise', async () => URL, 'callbackUrl returned a promise'],
    ['answers no URL', () => '/done', 'callbackUrl returned a text that is not a URL'],
    ['answers a long one', () => `${URL}?${'x'.repeat(8000)}`, 'callbackUrl has 8024 characters; it may have at most'],
    ['answers one that gets long', () => `${URL}?${'漢'.repeat(1000)}`, 'callbackUrl has 9024 characters'],
  ])('keeps no task from its end where it %s, and is told of', async (_, callbackUrl, why) => {
    const said = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const host = await startHost({ ...PLACES[0]!, options: { callbackUrl: callbackUrl as never } });
    try {
      const taskId = await finished(host.tasks);
      expect((await host.tasks.get(taskId)).status).toBe(FINISHED);
      expect(await host.tasks.callbacks.counts()).toEqual({ pending: 0, delivered: 0, dead: 0 });
      const lines = said.mock.calls.map(([first, second]) => `${String(first)} ${String(second)}`);
      expect(lines).toEqual([expect.stringContaining(`task ${taskId} has ended without a callback`)]);
      expect(lines[0]).toContain(why);
    } finally {
      said.mockRestore();
      await host.close();
    }
  });
});

describe.each(PLACES)('an address that a database might not take, on $engine with $adapter', (where) => {
  it('keeps no task from its end: it is percent-encoded, or, where it is too long, said', async () => {
    const said = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const callbackUrl = () => `${URL}/\u0000/a b/${'x'.repeat(7000)}`;
    const options = { callbackUrl, callbackAllow: ['http://127.0.0.1:8'], dispatchCallbacks: false };
    const host = await startHost({ ...where, options });
    try {
      const strange = await finished(host.tasks);
      const { list } = await host.tasks.callbacks.list({ taskId: strange });
      expect(list).toMatchObject([{ url: `${URL}/%00/a%20b/${'x'.repeat(7000)}` }]);

      const { taskId, leaseToken } = await claimed(host.tasks);
      const long = `http://127.0.0.1:8/${'x'.repeat(60_000)}`;
      await host.tasks.dataSource.query(`UPDATE tasks SET callback_url = '${long}' WHERE id = '${taskId}'`);
      expect((await host.tasks.report(taskId, { leaseToken, status: FINISHED })).status).toBe(FINISHED);
      expect((await host.tasks.callbacks.list({ taskId })).list).toEqual([]);
      expect(said.mock.calls).toEqual([
        [
          `task ${taskId} has ended without a callback, because the callback could not be built`,
          expect.stringContaining('60019'),
        ],
      ]);
    } finally {
      said.mockRestore();
      await host.close();
    }
  });
});

/** Shows more of itself than can be sent. */
@Entity('tasks')
class LongTask extends Task {
  override toResponse(): TaskJson & { long: string } {
    return { ...super.toResponse(), long: 'x'.repeat(8_000_000) };
  }
}

describe.each(PLACES)('a notice that is too long to be sent, on $engine with $adapter', (where) => {
  it('keeps no task from its end, and is said', async () => {
    const said = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const options = { callbackUrl: URL, dispatchCallbacks: false, entity: LongTask };
    const host = await startHost({ ...where, options });
    try {
      const taskId = await finished(host.tasks);
      expect((await host.tasks.get(taskId)).status).toBe(FINISHED);
      expect((await host.tasks.callbacks.list({ taskId })).list).toEqual([]);
      expect(said.mock.calls).toEqual([
        [
          expect.stringContaining('without a callback'),
          expect.stringMatching(/the notice has 80\d+ bytes, and at most 8000000/),
        ],
      ]);
    } finally {
      said.mockRestore();
      await host.close();
    }
  });
});
