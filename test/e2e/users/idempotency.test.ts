import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type CreateTaskDto, TaskController, TaskError, type TaskJson } from '../../../src/index.js';
import { dataOf, expectFailure } from '../../support/answers.js';
import { ADAPTERS, BATTERY, type Host, startHost } from '../../support/host.js';

describe.each(BATTERY)('creates sent again on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const create = (key: string, json: unknown, user = 'alice') =>
    host.user(user, 'POST', '/api/tasks', { json, headers: { 'Idempotency-Key': key } });
  const count = async (user: string): Promise<number> =>
    (await host.tasks.list({ userId: user, pageNum: 1000 })).list.length;

  it('answer the first task, as it is now', async () => {
    const key = randomUUID();
    const first = dataOf(await create(key, { input: 'in', args: 'a', status: 10 }));
    await host.tasks.claim({ taskId: first.taskId });
    const again = dataOf(await create(key, { status: 10, args: 'a', input: 'in' }));
    expect(again).toMatchObject({ taskId: first.taskId, status: 20 });
    const form = { form: { input: 'in', args: 'a', status: '10' }, headers: { 'Idempotency-Key': key } };
    expect(dataOf(await host.user('alice', 'POST', '/api/tasks', form)).taskId).toBe(first.taskId);
  });

  it('with other content are a conflict, and another user’s are another task', async () => {
    const key = randomUUID();
    const { taskId } = dataOf(await create(key, { input: 'in' }));
    const conflict = await create(key, { input: 'other' });
    expect([conflict.status, conflict.body.data.code]).toEqual([422, 14007]);
    expect(dataOf(await create(key, { input: 'in' }, 'bob')).taskId).not.toBe(taskId);
  });

  it('twenty at once make one task', async () => {
    const [key, user] = [randomUUID(), randomUUID()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(key, { input: 'in' }, user)));
    expect(new Set(answers.map((answer) => dataOf(answer).taskId)).size).toBe(1);
    expect(await count(user)).toBe(1);
  });

  it('a list is made once, all of it', async () => {
    const [key, user] = [randomUUID(), randomUUID()];
    const list = [{ input: 'a' }, { input: 'b' }];
    const first = dataOf(await create(key, list, user));
    expect(dataOf(await create(key, list, user))).toEqual(first);
    expect((await create(key, [...list, { input: 'c' }], user)).status).toBe(422);
    expect(await count(user)).toBe(2);
  });

  it('are refused when the task has been deleted, and a new task once the key has run out', async () => {
    const key = randomUUID();
    const { taskId } = dataOf(await create(key, { input: 'in' }));
    await host.tasks.remove([taskId], { userId: 'alice' });
    expect((await create(key, { input: 'in' })).status).toBe(404);
    await host.app.get(DataSource).query("UPDATE tasks_keys SET expires_at = '2026-01-01 00:00:00.000'");
    expect(dataOf(await create(key, { input: 'other' })).taskId).not.toBe(taskId);
  });

  it('need a key of 1 to 255 printable characters', async () => {
    for (const key of ['', 'x'.repeat(256), 'a\tb'])
      expectFailure(await create(key, { input: 'in' }), 'INVALID_PARAM', ['Idempotency-Key', 'idempotencyKey']);
  });
});

describe.each(BATTERY)('lists of tasks on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());
  const create = (json: unknown) => host.user('alice', 'POST', '/api/tasks', { json });

  it('make up to a thousand, in their order', async () => {
    const inputs = Array.from({ length: 1000 }, (_, index) => `${index}`);
    const json = inputs.map((input, index) => ({ input, ...(index % 2 === 0 ? { priority: 1 } : { args: 'x' }) }));
    const { list } = dataOf(await create(json));
    expect(list.map((task: TaskJson) => task.input)).toEqual(inputs);
    expect(list[0]).toMatchObject({ priority: 1, args: '', status: 0 });
    const tooMany = await create([...json, { input: 'one more' }]);
    expectFailure(tooMany, 'INVALID_PARAM', ['body', 'arrayMaxSize']);
    expect(dataOf(await create([])).list).toEqual([]);
  });

  it('make all or none, and name what is wrong by its place', async () => {
    const before = (await host.tasks.list({ userId: 'alice', pageNum: 1000 })).list.length;
    const json = [{ input: 'a' }, { args: 'no input' }, { input: 'c', priority: 'x' }];
    expectFailure(await create(json), 'INVALID_PARAM', ['[1].input', 'isDefined'], ['[2].priority', 'isInt']);
    expectFailure(await create([{ input: 'a' }, 'b']), 'INVALID_PARAM', ['[1]', 'isObject']);
    expectFailure(
      await create([{ input: 'a', runAt: '2099-01-01T00:00:00Z', status: 0 }, { input: 'b' }]),
      'INVALID_PARAM',
      ['[0].runAt', 'draft'],
    );
    expect((await host.tasks.list({ userId: 'alice', pageNum: 1000 })).list.length).toBe(before);
  });
});

describe.each(ADAPTERS)("a host's own rule for one task, with %s", (adapter) => {
  it('is not passed by with a list', async () => {
    class Strict extends TaskController {
      override async create(userId: string, body: CreateTaskDto): Promise<TaskJson> {
        if (body.input.startsWith('ftp:')) throw new TaskError('INVALID_PARAM', 'no ftp');
        return super.create(userId, body);
      }
    }
    const host = await startHost({ engine: 'sqlite', adapter, options: { controller: Strict } });
    const create = (json: unknown) =>
      host.user('alice', 'POST', '/api/tasks', { json, headers: { 'Idempotency-Key': 'k' } });
    expectFailure(await create([{ input: 'ftp:x' }]), 'INVALID_PARAM', ['body', 'isObject']);
    expect((await create({ input: 'ftp:x' })).status).toBe(400);
    // Its override passes the key on without knowing of it.
    const { taskId } = dataOf(await create({ input: 'in' }));
    expect(dataOf(await create({ input: 'in' })).taskId).toBe(taskId);
    await host.close();
  });
});
