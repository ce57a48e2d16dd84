import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADAPTERS, type Host, startHost } from '../../support/host.js';

describe.each(ADAPTERS)('HEAD with %s', (adapter) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ engine: 'sqlite', adapter });
  });
  afterAll(() => host?.close());

  it('claims nothing: its answer would have no task in it', async () => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    const answer = await host.worker('HEAD', '/api/crontask');
    expect([answer.status, answer.text]).toEqual([400, '']);
    expect((await host.tasks.get(taskId)).status).toBe(10);
  });
});
