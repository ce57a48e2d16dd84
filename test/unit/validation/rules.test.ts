import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TaskModule, type TaskService } from '../../../src/index.js';
import { failure } from '../../support/failure.js';
import { type Host, spread, startHost } from '../../support/host.js';

describe.each(spread(import.meta))('rules for every caller on $engine', (where) => {
  let host: Host;
  let tasks: TaskService;
  beforeAll(async () => {
    host = await startHost(where);
    tasks = host.tasks;
  });
  afterAll(() => host?.close());

  it('TaskService is held to the rules of the routes', async () => {
    const { taskId } = await tasks.create({ userId: 'alice', input: 'in', status: 10 });
    await tasks.claim({ taskId, legacy: true });
    for (const progress of [-5, 1.5, NaN, '50' as unknown as number])
      expect(await failure(tasks.report(taskId, { progress }))).toEqual(['INVALID_PARAM', 'progress']);
    for (const page of [0, 1.5, NaN, Infinity])
      expect(await failure(tasks.list({ userId: 'alice', page }))).toEqual(['INVALID_PARAM', 'page']);
    expect(await failure(tasks.list({ userId: 'alice', pageNum: 10_001 }))).toEqual(['INVALID_PARAM', 'pageNum']);
    expect(await failure(tasks.list({ userId: 'alice', service: 'a\0' }))).toEqual(['INVALID_PARAM', 'service']);
    expect(await failure(tasks.claim({ service: {} as string }))).toEqual(['INVALID_PARAM', 'service']);
    expect(await failure(tasks.remove(['x'], { userId: '' }))).toEqual(['INVALID_PARAM', 'userId']);
    expect(await failure(tasks.remove('x' as unknown as string[], { userId: 'a' }))).toEqual(['INVALID_PARAM', 'ids']);
  });

  it("does not let a caller write the queue's own columns by the way", async () => {
    const { taskId } = await tasks.create({ userId: 'alice', input: 'in', attempts: 7, leaseToken: 'x' } as never);
    const changed = await tasks.update(taskId, { args: 'a', userId: 'bob', attempts: 9 } as never);
    expect(changed).toMatchObject({ userId: 'alice', attempts: 0, leaseToken: null, args: 'a' });
  });

  it('leaves an ended row of an adopted table alone, though no attempt was counted', async () => {
    const { taskId } = await tasks.create({ userId: 'alice', input: 'in' });
    for (const status of [20, 30, -10]) {
      await tasks.dataSource.query(`UPDATE tasks SET status = ${status} WHERE id = '${taskId}'`);
      const answer = await host.user('alice', 'PUT', `/api/tasks/${taskId}`, { json: { input: 'changed' } });
      expect([answer.status, answer.body.data.code]).toEqual([409, 14006]);
    }
    expect((await tasks.get(taskId)).input).toBe('in');
  });

  it('an update of nothing writes nothing, on a finished task least of all', async () => {
    const { taskId } = await tasks.create({ userId: 'alice', input: 'in', status: 10 });
    await tasks.claim({ taskId, legacy: true });
    await tasks.report(taskId, { status: 30 });
    const { updatedAt } = await tasks.get(taskId);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await host.user('alice', 'PUT', `/api/tasks/${taskId}`, { json: {} })).status).toBe(200);
    await tasks.report(taskId, { progress: 5, output: 'late' });
    expect(await tasks.get(taskId)).toMatchObject({ updatedAt, progress: 100, output: null });
  });
});

describe('options', () => {
  it('that nobody reads are refused, with the place where they belong', () => {
    expect(() => TaskModule.forRoot({ workerToken: ['x'] } as never)).toThrow(/workerToken: there is no such option/);
    const useFactory = () => ({});
    expect(() => TaskModule.forRootAsync({ useFactory, workerTokens: [] } as never)).toThrow(
      /workerTokens: is a value; return it from useFactory/,
    );
  });

  it('that shape routes are refused from a factory', async () => {
    const started = startHost({
      engine: 'sqlite',
      adapter: 'fastify',
      imports: [
        TaskModule.forRootAsync({ name: 'other', table: 'other', useFactory: () => ({ cronGuards: [] }) as never }),
      ],
    });
    await expect(started).rejects.toThrow(/cronGuards: shapes routes and documents; set it next to useFactory/);
  });
});
