import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataOf } from '../support/answers.js';
import { describeOn } from '../support/databases.js';
import { type Host, startHost } from '../support/host.js';

/** A database that gives up on locks before the module does: the module asks for ten seconds. */
describeOn('postgres')('a row that is locked for longer than a lock is waited for, on %s', (engine) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ engine, adapter: 'fastify', typeorm: { extra: { options: '-c lock_timeout=300ms' } } });
  });
  afterAll(() => host?.close());

  it('is UNAVAILABLE in its own place, and the reports beside it count', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
      await host.tasks.claim({ taskId, legacy: true });
      ids.push(taskId);
    }
    const holder = host.app.get(DataSource).createQueryRunner();
    await holder.startTransaction();
    try {
      await holder.query(`SELECT 1 FROM tasks WHERE id = '${ids[1]}' FOR UPDATE`);
      const json = { reports: ids.map((taskId) => ({ taskId, status: 30 })) };
      const { list } = dataOf(await host.worker('PUT', '/api/crontask', { json }));
      expect(list.map(({ data }: any) => data.code)).toEqual([undefined, 14011, undefined]);
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    expect((await host.tasks.get(ids[0]!)).status).toBe(30);
    expect((await host.tasks.get(ids[1]!)).status).toBe(20);
  });
});
