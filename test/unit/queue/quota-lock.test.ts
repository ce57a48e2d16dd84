import { expect, it } from '@jest/globals';
import { connect, withQueue } from '../schema/fixtures/queue.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { describeOn } from '../../support/databases.js';
import { until } from '../../support/until.js';

describeOn('mysql', 'postgres')('an owner whose quota a transaction holds, on %s', (engine) => {
  it('waits for it alone: nobody else does', async () => {
    const database = await borrowDatabase(engine);
    const dataSource = await connect(database);
    try {
      await withQueue(dataSource, { maxActiveTasks: 12 }, async ({ service }) => {
        const create = (userId: string) => service.create({ userId, input: 'x' });
        await create('alice');
        let done = 0;
        await dataSource.transaction(async (manager) => {
          await service.create({ userId: 'alice', input: 'in a transaction' }, { manager });
          const waiting = Array.from({ length: 8 }, () => create('alice').then(() => done++));
          // Of the same batches, and of those behind them.
          for (let round = 0; round < 3; round++)
            await Promise.all(['bob', 'carol', 'dave'].map((owner) => create(owner)));
          expect(done).toBe(0);
          void Promise.all(waiting);
        });
        await until('alice has hers', () => done === 8);
        const refused = await Promise.allSettled([create('alice'), create('alice'), create('alice'), create('bob')]);
        expect(refused.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
      });
    } finally {
      await dataSource.destroy();
      await giveBack(database);
    }
  });
});
