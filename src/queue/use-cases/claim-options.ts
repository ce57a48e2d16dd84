import type { Task } from '../../contract/task.entity.js';
import type { NewKey } from '../stores/key.store.js';
import type { TaskFilter } from '../stores/ready.store.js';
import type { AnswerSpace } from '../answer-room.js';
import { check, invalid } from '../../validation/invalid.js';
import { digest } from '../queue.js';
import { claimLimitRule, keyRule, leaseRule, nameRule, waitRule, workerIdRule } from '../../validation/rules.js';

export interface ClaimOptions extends TaskFilter {
  /**
   * The most tasks to take, 0 to 100, by default 1. 0 withdraws the claim with this `idempotencyKey`, in every process
   * in which it waits: it returns what the claim has taken, and the claim takes nothing more.
   */
  limit?: number | undefined;
  /** Seconds that the claim holds without a report, 1 to 86,400. Omitted: option `lease`. */
  lease?: number | undefined;
  /** Seconds to wait for a task, 0 (the default) to 30. */
  wait?: number | undefined;
  /** The worker's name: free text of at most 64 characters, stored on the row. */
  workerId?: string | undefined;
  /** The same key of the same worker returns the same tasks and tokens while their leases last. */
  idempotencyKey?: string | undefined;
  /** A digest of the worker's credential. It separates the keys of different workers. */
  credential?: string | undefined;
  /** A legacy claim: it holds for option `legacyLease`, and reports on it need no token. */
  legacy?: boolean | undefined;
  /** Aborted when nobody can receive the answer any more: nothing is claimed, or it is given back. */
  signal?: AbortSignal | undefined;
}

/**
 * Seconds that a claim's key is kept after its lease, and that a withdrawn key is kept. Retries of one request are over
 * by then. A worker that repeats it later, after renewing its lease, has received the first answer: it is a new claim.
 */
const KEY_MARGIN = 120;

/** A claim, or the last look of a claim that has waited, which only looks up its key. */
export interface Claim extends ClaimOptions {
  isLook?: boolean;
  /** The space of its answer. The claim gets only as many tasks as fit. */
  space: AnswerSpace;
}

export function checkClaim(options: ClaimOptions): void {
  const { service, group, lease, limit, wait, workerId, idempotencyKey } = options;
  if (service !== undefined) check('service', service, nameRule);
  if (group !== undefined) check('group', group, nameRule);
  if (lease !== undefined) check('lease', lease, leaseRule);
  if (limit !== undefined) check('limit', limit, claimLimitRule);
  if (wait !== undefined) check('wait', wait, waitRule);
  if (workerId !== undefined) check('workerId', workerId, workerIdRule);
  if (idempotencyKey !== undefined) check('Idempotency-Key', idempotencyKey, keyRule);
  else if (limit === 0)
    throw invalid([
      { field: 'limit', rule: 'withdrawal', msg: 'limit 0 withdraws a claim; send the Idempotency-Key of that claim' },
    ]);
}

export const isWithdrawal = ({ limit }: ClaimOptions): boolean => limit === 0;

/** The key includes the worker, so that two workers may choose the same one. */
export const keyOf = ({ idempotencyKey, credential = '', workerId = '' }: ClaimOptions): string | undefined =>
  idempotencyKey === undefined ? undefined : digest('claim', credential, workerId, idempotencyKey);

export const entryOf = (claim: ClaimOptions, tasks: Task[]): NewKey[] => {
  const key = tasks.length === 0 ? undefined : keyOf(claim);
  return key === undefined ? [] : [entry(key, tasks)];
};

/** An entry without tasks means that the claim was withdrawn. */
export const entry = (key: string, tasks: Task[]): NewKey => ({
  id: key,
  fingerprint: key,
  taskIds: tasks.map((task) => task.taskId),
  seconds: Math.max(0, ...tasks.map((task) => task.leaseSeconds ?? 0)) + KEY_MARGIN,
});
