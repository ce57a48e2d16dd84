import type { QueueEvent } from '../queue/events.js';
import type { Counter, Timing } from '../schema/tables/metrics.table.js';

/** One event in numbers. */
export interface Measurement {
  service: string;
  /** By the database's clock. */
  at: Date;
  counts: readonly Counter[];
  /** Milliseconds. */
  times: Partial<Record<Timing, number>>;
}

/**
 * What an event adds to the metrics. undefined: nothing. An attempt that failed counts as `failed` if the task failed
 * with it, and as `retried` if the task gets another attempt; as `expired`, too, if its lease ran out. An attempt has a
 * run time if its worker reported its end, and did not give the task back.
 */
export function measurementOf(event: QueueEvent): Measurement | undefined {
  const { type, task, attempt, readySince } = event;
  const { service } = task;
  if (type === 'created') return { service, at: task.createdAt ?? new Date(), counts: ['created'], times: {} };
  if (type === 'started') {
    const at = task.startedAt!;
    return { service, at, counts: ['started'], times: readySince ? { wait: between(readySince, at) } : {} };
  }
  const counts = countsOf(event);
  if (counts.length === 0) return undefined;
  const at = task.updatedAt!;
  const isTimed = attempt && attempt.outcome !== 'leaseExpired' && task.startedAt;
  return { service, at, counts, times: isTimed ? { run: between(task.startedAt!, at) } : {} };
}

function countsOf({ type, attempt }: QueueEvent): Counter[] {
  if (type === 'cancelled') return ['cancelled'];
  switch (attempt?.outcome) {
    case 'finished':
      return ['finished'];
    case 'failed':
      return [type === 'failed' ? 'failed' : 'retried'];
    case 'leaseExpired':
      return [type === 'failed' ? 'failed' : 'retried', 'expired'];
    default:
      return [];
  }
}

/** Not below 0: the database's clock may have been set back. */
const between = (from: Date, to: Date): number => Math.max(0, to.getTime() - from.getTime());
