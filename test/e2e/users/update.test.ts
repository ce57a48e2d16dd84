import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure, expectWrongState } from '../../support/answers.js';
import { call } from '../../support/http.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

describe.each(BATTERY)('PUT /api/tasks/{taskId} on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const draft = async (status = 0): Promise<string> =>
    (await host.tasks.create({ userId: 'alice', input: 'in', args: 'args', status })).taskId;
  const put = (taskId: string, json: object) => host.user('alice', 'PUT', `/api/tasks/${taskId}`, { json });
  const claim = (taskId: string) => host.worker('GET', '/api/crontask', { query: { taskId } });

  it('replaces input and args, each where it is given, and answers the task', async () => {
    const taskId = await draft();
    const task = { taskId, service: 'default', status: 0, progress: 0, temp: '', output: '' };
    expect(dataOf(await put(taskId, { input: 'in 2' }))).toMatchObject({ ...task, input: 'in 2', args: 'args' });
    expect(dataOf(await put(taskId, { args: 'args 2' }))).toMatchObject({ ...task, input: 'in 2', args: 'args 2' });
    expect(dataOf(await put(taskId, { input: 'in 3', args: 'args 3' }))).toMatchObject({
      input: 'in 3',
      args: 'args 3',
    });
    expect(dataOf(await put(taskId, {}))).toMatchObject({ input: 'in 3', args: 'args 3' });
    expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${taskId}`))).toMatchObject({
      input: 'in 3',
      args: 'args 3',
    });
  });

  it('clears a text by "" in JSON; null leaves it', async () => {
    const taskId = await draft();
    expect(dataOf(await put(taskId, { input: null, args: '' }))).toMatchObject({ input: 'in', args: '' });
    expect(dataOf(await put(taskId, { input: '', args: null }))).toMatchObject({ input: '', args: '' });
  });

  it('ignores what is not for users to say', async () => {
    const taskId = await draft();
    const json = { taskId: 'x', userId: 'bob', service: 'other', progress: 50, temp: 't', output: 'o', attempts: 9 };
    expect(dataOf(await put(taskId, json))).toMatchObject({
      taskId,
      service: 'default',
      progress: 0,
      temp: '',
      output: '',
    });
    expect(await host.tasks.get(taskId)).toMatchObject({ userId: 'alice', attempts: 0 });
  });

  it('makes a draft ready by status 10, once and again, with new texts in the same call', async () => {
    const taskId = await draft();
    expect(dataOf(await claim(taskId))).toEqual([]);
    expect(dataOf(await put(taskId, { status: 10, args: 'last' }))).toMatchObject({ status: 10, args: 'last' });
    expect(dataOf(await put(taskId, { status: 10 }))).toMatchObject({ status: 10 });
    expect(dataOf(await claim(taskId)).task).toMatchObject({ taskId, status: 20, args: 'last' });
  });

  it('changes the texts of a ready task that no worker has had', async () => {
    const taskId = await draft(10);
    expect(dataOf(await put(taskId, { input: 'late' }))).toMatchObject({ status: 10, input: 'late' });
    expect(dataOf(await claim(taskId)).task.input).toBe('late');
  });

  it('never takes a ready task back to a draft', async () => {
    const taskId = await draft(10);
    expectWrongState(await put(taskId, { status: 0, input: 'x' }), 10, [-20]);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, input: 'in' });
  });

  it('leaves input and args alone once a worker has had the task, even after it was given back', async () => {
    const taskId = await draft(10);
    await claim(taskId);
    for (const json of [{ input: 'x' }, { args: 'x' }, { args: '' }, { status: 10 }])
      expectWrongState(await put(taskId, json), 20, [-20]);
    await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: 10 } });
    expectWrongState(await put(taskId, { args: 'x' }), 10, [-20]);
    await host.worker('PUT', `/api/crontask/${taskId}`, { json: { status: 30 } });
    expectWrongState(await put(taskId, { args: 'x' }), 30, []);
    expectWrongState(await put(taskId, { status: 10 }), 30, []);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 30, input: 'in', args: 'args' });
  });

  it("answers NOT_FOUND for a task that isn't there and for another's, and touches nothing", async () => {
    const taskId = await draft();
    const json = { input: 'stolen', status: 10 };
    for (const method of ['PUT', 'POST']) {
      expectFailure(await host.user('bob', method, `/api/tasks/${taskId}`, { json }), 'NOT_FOUND');
      expectFailure(await host.user('alice', method, `/api/tasks/${taskId.toUpperCase()}`, { json }), 'NOT_FOUND');
      expectFailure(await call(method, `${host.url}/api/tasks/${taskId}`, { json }), 'INVALID_TOKEN');
    }
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 0, input: 'in' });
  });
});
