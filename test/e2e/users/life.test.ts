import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BATTERY, type Host, startHost } from '../../support/host.js';

describe.each(BATTERY)('a task from end to end on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  it('is created, claimed, reported on, and seen finished', async () => {
    const created = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', status: 10 } });
    expect(created.status).toBe(200);
    expect(created.headers.get('cache-control')).toBe('no-cache');
    const { taskId } = created.body.data;
    const claimed = await host.worker('GET', '/api/crontask');
    expect(claimed.body.data).toMatchObject({ task: { taskId, status: 20, callbackUrl: '' }, updateUrl: '' });
    const reported = await host.worker('PUT', `/api/crontask/${taskId}`, { form: { status: '30', output: 'out' } });
    expect(reported.body.data.task).toMatchObject({ taskId, status: 30, progress: 100, output: 'out' });
    const seen = await host.user('alice', 'GET', `/api/tasks/${taskId}`);
    expect(seen.body).toMatchObject({
      status: 1,
      data: { taskId, service: 'default', status: 30, progress: 100, input: 'in', args: '', temp: '', output: 'out' },
    });
    expect((await host.worker('GET', '/api/crontask')).body).toEqual({ status: 1, data: [] });
  });
});
