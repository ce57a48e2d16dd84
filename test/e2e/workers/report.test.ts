import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure, expectWrongState } from '../../support/answers.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

const CALLBACK = 'https://example.org/done';

describe.each(BATTERY)('PUT /api/crontask/{taskId} on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { callbackUrl: CALLBACK, deliverCallbacks: false } });
  });
  afterAll(() => host?.close());

  const create = async (status: number): Promise<string> =>
    (await host.tasks.create({ userId: 'alice', input: 'in', status })).taskId;
  const held = async (): Promise<string> => {
    const taskId = await create(10);
    await host.worker('GET', '/api/crontask', { query: { taskId } });
    return taskId;
  };
  const report = (taskId: string, json: object) => host.worker('PUT', `/api/crontask/${taskId}`, { json });
  const seen = async (taskId: string): Promise<any> => dataOf(await host.user('alice', 'GET', `/api/tasks/${taskId}`));

  it('replaces progress, temp and output, each where it is given, and answers the cronTask', async () => {
    const taskId = await held();
    const task = { taskId, service: 'default', status: 20, input: 'in', args: '' };
    expect(dataOf(await report(taskId, { progress: 40, temp: 'frame 4' }))).toMatchObject({
      task: { ...task, progress: 40, temp: 'frame 4', output: '', callbackUrl: CALLBACK },
      updateUrl: CALLBACK,
    });
    expect(dataOf(await report(taskId, { output: 'half' })).task).toMatchObject({
      progress: 40,
      temp: 'frame 4',
      output: 'half',
    });
    expect(dataOf(await report(taskId, { progress: 0, temp: '' })).task).toMatchObject({
      progress: 0,
      temp: '',
      output: 'half',
    });
    expect(dataOf(await report(taskId, { status: 20 })).task).toMatchObject({ status: 20, output: 'half' });
    expect(dataOf(await report(taskId, {})).task).toMatchObject({ status: 20, progress: 0, output: 'half' });
    expect(await seen(taskId)).toMatchObject({ ...task, progress: 0, temp: '', output: 'half' });
  });

  it('shows progress above 100 as 100', async () => {
    const taskId = await held();
    for (const [given, shown] of [
      [99, 99],
      [100, 100],
      [101, 100],
      [70_000, 100],
      [1e15, 100],
    ] as const) {
      expect(dataOf(await report(taskId, { progress: given })).task.progress).toBe(shown);
      expect((await seen(taskId)).progress).toBe(shown);
    }
  });

  it('finishes a task at 100 percent, whatever progress says', async () => {
    const taskId = await held();
    const answer = await report(taskId, { status: 30, progress: 70, output: 'out', temp: 'last' });
    expect(dataOf(answer).task).toMatchObject({ status: 30, progress: 100, output: 'out', temp: 'last' });
    expect((await host.tasks.get(taskId)).finishedAt).toBeInstanceOf(Date);
  });

  it('answers 200 on a finished task, and never changes it again', async () => {
    const taskId = await held();
    await report(taskId, { status: 30, output: 'out' });
    const before = await host.tasks.get(taskId);
    const late = [
      { status: 30, output: 'other', progress: 1 },
      { status: -10, temp: 'x' },
      { status: 10 },
      { status: 20 },
      { output: '' },
      {},
    ];
    for (const json of late) {
      const data = dataOf(await report(taskId, json));
      expect(data.task).toMatchObject({ taskId, status: 30, progress: 100, output: 'out', temp: '' });
      expect(data.updateUrl).toBe(CALLBACK);
    }
    expect(await host.tasks.get(taskId)).toEqual(before);
    expect(dataOf(await host.worker('GET', '/api/crontask'))).toEqual([]);
  });

  it('fails a task, and keeps what it got to', async () => {
    const taskId = await held();
    const answer = await report(taskId, { status: -10, progress: 60, temp: 'out of memory' });
    expect(dataOf(answer).task).toMatchObject({ status: -10, progress: 60, temp: 'out of memory' });
    expect((await host.tasks.get(taskId)).finishedAt).toBeInstanceOf(Date);
    expectWrongState(await report(taskId, { status: 20 }), -10, [30]);
    expectWrongState(await report(taskId, { status: 10 }), -10, [30]);
    expect(await seen(taskId)).toMatchObject({ status: -10, progress: 60 });
  });

  it('gives a task back by status 10, to be claimed again', async () => {
    const taskId = await held();
    expect(dataOf(await report(taskId, { status: 10, temp: 'so far' })).task).toMatchObject({
      status: 10,
      temp: 'so far',
    });
    const again = dataOf(await host.worker('GET', '/api/crontask', { query: { taskId } }));
    expect(again.task).toMatchObject({ taskId, status: 20, temp: 'so far' });
  });

  it('counts the late end of a task that went back to the queue, or had failed', async () => {
    for (const [from, to] of [
      [10, 30],
      [10, -10],
      [-10, 30],
      [-10, -10],
    ] as const) {
      const taskId = await held();
      await report(taskId, { status: from });
      const answer = await report(taskId, { status: to, output: 'late' });
      expect(dataOf(answer).task).toMatchObject({ taskId, status: to, output: 'late' });
      expect(dataOf(await host.worker('GET', '/api/crontask', { query: { taskId } }))).toEqual([]);
    }
  });

  it('refuses a report that ends nothing on a task that no worker holds', async () => {
    const taskId = await create(10);
    for (const json of [{ progress: 5 }, { output: 'x' }, { status: 20 }, { status: 10 }])
      expectWrongState(await report(taskId, json), 10, [30, -10]);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 10, progress: 0, output: null });
  });

  it('refuses every report on a draft', async () => {
    const taskId = await create(0);
    for (const json of [
      {},
      { progress: 5 },
      { status: 20 },
      { status: 10 },
      { status: 30, output: 'x' },
      { status: -10 },
    ])
      expectWrongState(await report(taskId, json), 0, []);
    expect(await host.tasks.get(taskId)).toMatchObject({ status: 0, progress: 0, output: null });
  });

  it('refuses a status that no worker may report, on a finished task too', async () => {
    const [taskId, finished] = [await held(), await held()];
    await report(finished, { status: 30 });
    for (const status of [99, 0, 5, -20])
      for (const id of [taskId, finished])
        expectFailure(await report(id, { status, output: 'x' }), 'INVALID_PARAM', ['status', 'isIn']);
    expect(await seen(taskId)).toMatchObject({ status: 20, output: '' });
  });

  it("answers NOT_FOUND for a task that isn't there", async () => {
    const taskId = await held();
    for (const id of [taskId.toUpperCase(), 'nobody', '00000000-0000-7000-8000-000000000000'])
      for (const method of ['PUT', 'POST'])
        expectFailure(await host.worker(method, `/api/crontask/${id}`, { json: { status: 30 } }), 'NOT_FOUND');
  });

  it('ignores what is not for workers to say', async () => {
    const taskId = await held();
    const json = {
      taskId: 'x',
      id: 'x',
      input: 'x',
      args: 'x',
      service: 'x',
      userId: 'bob',
      attempts: 0,
      attempt: 9,
    };
    expect(dataOf(await report(taskId, json)).task).toMatchObject({
      taskId,
      input: 'in',
      args: '',
      service: 'default',
    });
    expect(await host.tasks.get(taskId)).toMatchObject({ userId: 'alice', attempts: 1 });
  });
});
