import type { LifeCycle } from '../queue/life-cycle.js';
import type { Batch, BatchCounts, BatchSummary } from './batch.js';
import { endedOf, stateOf } from './batch-end.js';
import type { BatchRow } from './batch.store.js';

/** A batch as lists show it. */
export const summaryOf = (row: BatchRow): BatchSummary => ({
  batchId: row.id,
  userId: row.userId,
  state: stateOf(row),
  total: row.total,
  counts: { finished: row.finished, failed: row.failed, cancelled: row.cancelled },
  progress: row.total === 0 ? 100 : Math.floor((100 * endedOf(row)) / row.total),
  onFailure: row.onFailure,
  sealed: row.sealed,
  thenTaskId: row.thenTaskId,
  createdAt: row.createdAt,
  endedAt: row.endedAt,
});

/** A batch with all its counts. `statuses`: the tasks that it has not counted as ended. */
export function shown(
  row: BatchRow,
  statuses: readonly { status: number; count: number }[],
  lifeCycle: LifeCycle,
): Batch {
  const { finished, failed, cancelled } = row;
  const counts: BatchCounts = { ...NONE, finished, failed, cancelled };
  let left = row.total - endedOf(row);
  for (const { status, count } of statuses) {
    counts[COUNTED[lifeCycle.phase(status)]] += count;
    left -= count;
  }
  // Plain SQL has deleted these.
  if (row.endedAt === null && left > 0) counts.cancelled += left;
  return { ...summaryOf(row), counts };
}

export const NONE: Readonly<BatchCounts> = { waiting: 0, ready: 0, running: 0, finished: 0, failed: 0, cancelled: 0 };

/** Where a task of each phase counts. */
export const COUNTED = {
  INIT: 'waiting',
  WAITING: 'waiting',
  BEGIN: 'ready',
  START: 'running',
  CUSTOM: 'running',
  FINISHED: 'finished',
  ERROR: 'failed',
  CANCELLED: 'cancelled',
} as const satisfies Record<ReturnType<LifeCycle['phase']>, keyof BatchCounts>;
