import { TaskError } from '../contract/errors.js';
import type { Script } from '../database/transaction.js';
import { isIdLike } from '../validation/rules.js';
import type { BatchRow, BatchStore } from './batch.store.js';

/** Whose batches. Without an owner: those of all owners. */
export interface BatchCaller {
  userId?: string | undefined;
}

/** The batch, if the caller may see it. NOT_FOUND. */
export function* ownBatch(store: BatchStore, batchId: string, { userId }: BatchCaller): Script<BatchRow> {
  const found = isIdLike(batchId) ? yield* store.find(batchId) : undefined;
  if (!found || (userId !== undefined && found.userId !== userId)) throw noBatch();
  return found;
}

export const noBatch = (): TaskError => new TaskError('NOT_FOUND', { msg: 'there is no batch with this id' });
