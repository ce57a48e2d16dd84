import { describe, expect, it } from '@jest/globals';
import { ENGINES } from '../../support/databases.js';
import { ownQueue } from '../schema/fixtures/own-queue.js';
import { until } from '../../support/until.js';

describe.each(ENGINES)('old batches on %s', (engine) => {
  const own = ownQueue(engine, { batchRetention: 0 });

  it('are deleted also where only code makes batches', async () => {
    const { batches } = own.service;
    const alice = { userId: 'alice' };
    const { batchId } = await batches.create({ tasks: [] }, alice);
    const found = async (): Promise<string[]> => (await batches.list(alice)).list.map((batch) => batch.batchId);
    await until('it is gone', async () => !(await found()).includes(batchId));
    await expect(batches.get(batchId, alice)).rejects.toThrow('not found');
  });
});
