import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Task, type TaskError, TaskService } from '../../../src/index.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import type { Answer } from '../../support/http.js';

@Injectable()
class Feature {
  constructor(readonly tasks: TaskService) {}
}

/** Imports nothing of the queue's: the module is global. */
@Module({ providers: [Feature] })
class FeatureModule {}

const failure = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: TaskError) => error.errorName,
  );

describe.each(PLACES)("TaskService in a host's code on $engine", (where) => {
  let host: Host;
  let tasks: TaskService;
  beforeAll(async () => {
    host = await startHost({ ...where, imports: [FeatureModule] });
    tasks = host.app.get(Feature, { strict: false }).tasks;
  });
  afterAll(() => host?.close());

  const create = (userId = 'alice') => tasks.create({ userId, input: 'in' });
  const stored = (taskId: string) => tasks.dataSource.getRepository(Task).existsBy({ taskId });

  it('is injected into a feature module that imports nothing', () => {
    expect(tasks).toBe(host.tasks);
    expect(tasks).toBeInstanceOf(TaskService);
  });

  it('is closed with its app, which may be closed once more', async () => {
    const other = await startHost(where);
    await other.app.close();
    await other.close();
    expect(await failure(other.tasks.create({ userId: 'alice', input: 'in' }))).toBe('UNAVAILABLE');
  });

  it('creates what the routes show, and the other way round', async () => {
    const task = await tasks.create({
      userId: 'alice',
      input: 'in',
      args: 'a',
      service: 's',
      group: 'g',
      status: 10,
    });
    expect(task).toBeInstanceOf(Task);
    expect(task).toMatchObject({ userId: 'alice', group: 'g', attempts: 0 });
    expect(task.createdAt!.getTime() / 60_000).toBeCloseTo(Date.now() / 60_000, 0);
    const shown = await host.user('alice', 'GET', `/api/tasks/${task.taskId}`);
    expect(shown.body.data).toEqual(task.toResponse());
    const posted = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'posted' } });
    expect((await tasks.get(posted.body.data.taskId)).toResponse()).toEqual(posted.body.data);
  });

  it('lists, newest first, an owner at a time', async () => {
    const made = [await create('lister'), await create('lister'), await create('lister')];
    const ids = made.map((task) => task.taskId).reverse();
    const listed = async (options: object) =>
      (await tasks.list({ userId: 'lister', ...options })).list.map((task) => task.taskId);
    expect(await listed({})).toEqual(ids);
    expect(await listed({ page: 2, pageNum: 2 })).toEqual(ids.slice(2));
    expect(await listed({ ids: [ids[1], 'unknown'] })).toEqual([ids[1]]);
    expect(await listed({ service: 'other' })).toEqual([]);
  });

  it('updates, for an owner or for anyone', async () => {
    const { taskId } = await create();
    expect(await tasks.update(taskId, { args: 'new' })).toMatchObject({ args: 'new', input: 'in' });
    expect(await tasks.update(taskId, { input: 'other' }, { userId: 'alice' })).toMatchObject({ input: 'other' });
    expect(await failure(tasks.update(taskId, { args: 'x' }, { userId: 'bob' }))).toBe('NOT_FOUND');
  });

  it('holds a task that a worker has had, and says why', async () => {
    const { taskId } = await create();
    expect(await tasks.markReady(taskId)).toMatchObject({ status: 10 });
    expect(await tasks.markReady(taskId)).toMatchObject({ status: 10 });
    expect((await tasks.claim({ taskId, legacy: true }))[0]).toMatchObject({ taskId, status: 20, attempts: 1 });
    expect(await failure(tasks.update(taskId, { input: 'late' }))).toBe('INVALID_STATE');
    expect(await failure(tasks.markReady(taskId))).toBe('INVALID_STATE');
    const { deleted, notDeleted } = await tasks.remove([taskId, 'nothing'], { userId: 'alice' });
    expect(deleted).toEqual([]);
    expect(notDeleted.map(({ reason }) => reason.errorName)).toEqual(['INVALID_STATE', 'NOT_FOUND']);
  });

  it("removes an owner's tasks only", async () => {
    const [mine, other] = [await create(), await create('bob')];
    const { deleted } = await tasks.remove([mine.taskId, other.taskId], { userId: 'alice' });
    expect(deleted).toEqual([mine.taskId]);
    expect([await stored(mine.taskId), await stored(other.taskId)]).toEqual([false, true]);
  });

  it('holds its callers to the rules for input', async () => {
    expect(await failure(tasks.create({ userId: '', input: 'in' }))).toBe('INVALID_PARAM');
    expect(await failure(tasks.create({ userId: 'alice' } as never))).toBe('INVALID_PARAM');
    expect(await failure(tasks.create({ userId: 'alice', input: 'x'.repeat(65_536) }))).toBe('TOO_LARGE');
    expect(await failure(tasks.create({ userId: 'alice', input: 'in', status: 30 }))).toBe('INVALID_PARAM');
    expect(await failure(tasks.get('nothing'))).toBe('NOT_FOUND');
    expect(await failure(tasks.markReady('nothing'))).toBe('NOT_FOUND');
  });

  describe("inside the host's transaction", () => {
    const inTransaction = (outcome: 'commit' | 'rollback', during?: (taskId: string) => Promise<void>) => {
      let taskId = '';
      return tasks.dataSource
        .transaction(async (manager) => {
          ({ taskId } = await tasks.create({ userId: 'alice', input: 'in' }, { manager }));
          await tasks.markReady(taskId, { manager });
          await during?.(taskId);
          if (outcome === 'rollback') throw new Error('the host thinks better of it');
        })
        .catch((error: Error) => expect(error.message).toBe('the host thinks better of it'))
        .then(() => taskId);
    };

    it('is seen and claimed once the host commits, and not before', async () => {
      const during = async (taskId: string) => expect(await tasks.claim({ taskId, legacy: true })).toEqual([]);
      const taskId = await inTransaction('commit', host.database.engine === 'sqlite' ? undefined : during);
      expect((await tasks.claim({ taskId, legacy: true }))[0]).toMatchObject({ taskId, status: 20 });
    });

    it('is gone when the host rolls back', async () => {
      const taskId = await inTransaction('rollback');
      expect(taskId).not.toBe('');
      expect(await stored(taskId)).toBe(false);
      expect(await tasks.claim({ taskId, legacy: true })).toEqual([]);
    });

    it("undoes updates and removals along with the host's", async () => {
      const [changed, removed] = [await create(), await create()];
      const undone = tasks.dataSource.transaction(async (manager) => {
        await tasks.update(changed.taskId, { args: 'x' }, { manager });
        await tasks.remove([removed.taskId], { userId: 'alice', manager });
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect((await tasks.get(changed.taskId)).args).toBeNull();
      expect(await stored(removed.taskId)).toBe(true);
    });

    it("keeps the host's rollback off what the queue commits meanwhile", async () => {
      let route!: Promise<Answer>;
      const taskId = await inTransaction('rollback', async () => {
        route = host.user('alice', 'POST', '/api/tasks', { json: { input: 'kept' } });
        // SQLite has one writer: there the route waits for the host's end.
        if (host.database.engine !== 'sqlite') await route;
      });
      const created = await route;
      expect(created.status).toBe(200);
      expect(await stored(created.body.data.taskId)).toBe(true);
      expect(await stored(taskId)).toBe(false);
    });

    it('runs beside many calls of the routes, and loses or gains no task', async () => {
      const routes = Array.from({ length: 20 }, () =>
        host.user('alice', 'POST', '/api/tasks', { json: { input: 'route' } }),
      );
      // One transaction after another: SQLite's data source has a single connection.
      for (const outcome of ['commit', 'rollback', 'commit', 'rollback', 'commit', 'rollback'] as const)
        expect(await stored(await inTransaction(outcome))).toBe(outcome === 'commit');
      for (const { body } of await Promise.all(routes)) expect(await stored(body.data.taskId)).toBe(true);
    });

    it('refuses a manager without a transaction', async () => {
      const { manager } = tasks.dataSource;
      await expect(tasks.create({ userId: 'alice', input: 'in' }, { manager })).rejects.toThrow('no open transaction');
    });
  });
});
