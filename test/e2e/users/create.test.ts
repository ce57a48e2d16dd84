import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../support/answers.js';
import { call } from '../../support/http.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

describe.each(BATTERY)('POST /api/tasks on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { defaultService: 'thumbnails' } });
  });
  afterAll(() => host?.close());

  const create = (json: object) => host.user('alice', 'POST', '/api/tasks', { json });

  it('answers a draft of the default service, with a UUID of its own and absent texts empty', async () => {
    const task = dataOf(await create({ input: 'in' }));
    expect(task).toMatchObject({
      taskId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      service: 'thumbnails',
      status: 0,
      progress: 0,
      input: 'in',
      args: '',
      temp: '',
      output: '',
    });
    expect(dataOf(await create({ input: 'in' })).taskId).not.toBe(task.taskId);
  });

  it('keeps service, args and status where they are given', async () => {
    const given = { input: 'in', args: '{"height":720}', service: 'transcode', status: 10 };
    const task = dataOf(await create(given));
    expect(task).toMatchObject(given);
    expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${task.taskId}`))).toEqual(task);
    expect(dataOf(await create({ input: 'in', status: 0 })).status).toBe(0);
  });

  it('takes a JSON number where it stores text, and digits where it stores a number', async () => {
    const task = dataOf(await create({ input: 42, args: 0.5, service: 7, status: '10' }));
    expect(task).toMatchObject({ input: '42', args: '0.5', service: '7', status: 10 });
  });

  it('takes an empty JSON text as an input, and null as absent', async () => {
    expect(dataOf(await create({ input: '', args: null, service: null, status: null }))).toMatchObject({
      input: '',
      args: '',
      service: 'thumbnails',
      status: 0,
    });
    expectFailure(await create({ input: null }), 'INVALID_PARAM', ['input', 'isDefined']);
  });

  it('ignores what is not for users to say', async () => {
    const strangers = {
      id: 'x',
      taskId: 'x',
      userId: 'bob',
      user_id: 'bob',
      progress: 50,
      temp: 't',
      output: 'o',
      error: 'e',
      attempts: 9,
      attempt: 9,
      leaseToken: 'x',
      createdAt: '1999-01-01',
      constructor: 'x',
      toResponse: 'x',
    };
    const task = dataOf(await create({ input: 'in', ...strangers }));
    expect(task).toMatchObject({ progress: 0, temp: '', output: '' });
    expect(task.taskId).not.toBe('x');
    expect(await host.tasks.get(task.taskId)).toMatchObject({ userId: 'alice', attempts: 0, priority: 0, error: null });
  });

  it('refuses a request without a user, or with a user that no row can hold', async () => {
    const json = { input: 'in' };
    const url = `${host.url}/api/tasks`;
    expectFailure(await call('POST', url, { json }), 'INVALID_TOKEN');
    expectFailure(await call('POST', url), 'INVALID_TOKEN');
    for (const user of ['u'.repeat(256), 'nul\0'])
      expectFailure(await host.user(user, 'POST', '/api/tasks', { json }), 'INVALID_TOKEN');
    dataOf(await host.user('u'.repeat(255), 'POST', '/api/tasks', { json }));
  });
});
