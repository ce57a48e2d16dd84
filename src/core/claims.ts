import type { Task } from '../contract/task.entity.js';
import { transaction } from '../store/database.js';
import type { Grant, TaskFilter } from '../store/ready.store.js';
import type { ReadyRow } from '../store/dialect.js';
import type { Script } from '../store/transaction.js';
import { check } from './invalid.js';
import { newToken } from './lease.js';
import { digest, type Queue } from './queue.js';
import { claimLimitRule, isIdLike, keyRule, leaseRule, nameRule, waitRule, workerIdRule } from './rules.js';
import type { WaitingRoom } from './waiting.js';

export interface ClaimOptions extends TaskFilter {
  /** Tasks at most, 1 to 100; 1 by default. */
  limit?: number | undefined;
  /** Seconds that the claim holds without a report, 1 to 86,400; absent: option `lease`. */
  lease?: number | undefined;
  /** Seconds to wait for a task, 0 (the default) to 30. */
  wait?: number | undefined;
  /** Who takes them: free text of at most 64 characters, kept on the row. */
  workerId?: string | undefined;
  /** The same key of the same worker answers the same tasks and tokens, while their leases live. */
  idempotencyKey?: string | undefined;
  /** Who the worker is, for its keys: a digest of its credential. */
  credential?: string | undefined;
  /** A claim of the original's form: holds for option `legacyLease`, and is reported on without a token. */
  legacy?: boolean | undefined;
  /** Aborted when nobody is there to hear the answer: then nothing is claimed, or it is given back. */
  signal?: AbortSignal | undefined;
}

/** Seconds that a claim's key outlives its first lease. */
const KEY_SECONDS = 86_400;

/** Undoes a claim that found nothing. */
class NothingReady extends Error {}

interface Taken<T extends Task> {
  /** Taken just now, not answered again. */
  isNew: boolean;
  tasks: T[];
}

/** Hands ready tasks to workers, each to exactly one. */
export class Claims<T extends Task> {
  constructor(
    private readonly queue: Queue<T>,
    private readonly waiting: WaitingRoom,
  ) {}

  async claim(options: ClaimOptions): Promise<T[]> {
    const { service, group, taskId, wait = 0, signal } = options;
    checkOptions(options);
    if (taskId !== undefined && !isIdLike(taskId)) return [];
    return this.waiting.claim({ service, group, taskId }, wait, signal, () => this.attempt(options));
  }

  private async attempt(options: ClaimOptions): Promise<T[]> {
    const { signal, idempotencyKey } = options;
    if (signal?.aborted) return [];
    const { isNew, tasks } = await this.takeOrUndo(options);
    // Whoever has the key comes back for the tasks; without one they would lie until their leases ran out.
    if (signal?.aborted && idempotencyKey === undefined) {
      await this.undo(tasks);
      return [];
    }
    if (isNew) this.queue.events.tell('started', tasks);
    return tasks;
  }

  /** Whoever finds nothing writes nothing, its key neither. */
  private async takeOrUndo(options: ClaimOptions): Promise<Taken<T>> {
    try {
      return await transaction(this.queue.database, () => this.take(options));
    } catch (error) {
      if (error instanceof NothingReady) return { isNew: false, tasks: [] };
      throw error;
    }
  }

  private *take(options: ClaimOptions): Script<Taken<T>> {
    const { ready, tasks, keys } = this.queue;
    const { service, group, taskId, limit = 1, workerId } = options;
    const claimKey = keyOf(options);
    if (claimKey !== undefined) {
      // First of all: the same request, sent again while this one is under way, waits here for what it finds.
      const known = yield* keys.claim(claimKey, { fingerprint: claimKey, taskIds: [] }, KEY_SECONDS);
      const given = known ? yield* tasks.findAll(known.taskIds) : [];
      const held = given.filter((task) => this.isHeldBy(task, claimKey));
      if (held.length > 0) return { isNew: false, tasks: held };
    }
    const found = yield* ready.find({ service, group, taskId }, limit);
    if (found.length === 0 && claimKey !== undefined) throw new NothingReady();
    if (found.length === 0) return { isNew: false, tasks: [] };
    const grants = found.map((row) => this.grant(row, options));
    yield* ready.take(grants, { workerId, claimKey });
    const taskIds = grants.map((grant) => grant.taskId);
    if (claimKey !== undefined) yield* keys.fill(claimKey, taskIds, KEY_SECONDS);
    return { isNew: true, tasks: yield* tasks.findAll(taskIds) };
  }

  private isHeldBy(task: T, claimKey: string): boolean {
    return task.claimKey === claimKey && this.queue.lifeCycle.isHeld(task.status);
  }

  private grant({ id, service }: ReadyRow, { lease, legacy = false }: ClaimOptions): Grant {
    const policy = this.queue.policies.of(service);
    const leaseSeconds = legacy ? policy.legacyLease : (lease ?? policy.lease);
    return { taskId: id, leaseToken: newToken(legacy), leaseSeconds };
  }

  /** As if they had never been claimed. */
  private async undo(taken: T[]): Promise<void> {
    const { database, tasks, lifeCycle, events } = this.queue;
    const back = await transaction(database, function* (): Script<T[]> {
      const undone: T[] = [];
      for (const { taskId, leaseToken } of taken) {
        const task = yield* tasks.lock(taskId);
        if (!task || task.leaseToken !== leaseToken || !lifeCycle.isHeld(task.status)) continue;
        const attempts = task.attempts - 1;
        undone.push(
          ...(yield* tasks.update([taskId], { status: lifeCycle.status.BEGIN, attempts, leaseExpiresAt: null })),
        );
      }
      return undone;
    });
    events.tell('ready', back);
  }
}

function checkOptions(options: ClaimOptions): void {
  const { service, group, lease, limit, wait, workerId, idempotencyKey } = options;
  if (service !== undefined) check('service', service, nameRule);
  if (group !== undefined) check('group', group, nameRule);
  if (lease !== undefined) check('lease', lease, leaseRule);
  if (limit !== undefined) check('limit', limit, claimLimitRule);
  if (wait !== undefined) check('wait', wait, waitRule);
  if (workerId !== undefined) check('workerId', workerId, workerIdRule);
  if (idempotencyKey !== undefined) check('Idempotency-Key', idempotencyKey, keyRule);
}

/** Two workers that chose the same key are two. */
const keyOf = ({ idempotencyKey, credential = '', workerId = '' }: ClaimOptions): string | undefined =>
  idempotencyKey === undefined ? undefined : digest('claim', credential, workerId, idempotencyKey);
