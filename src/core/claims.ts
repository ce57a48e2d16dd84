import type { Task } from '../contract/task.entity.js';
import { type Batch, done, type Outcome, type Size } from '../store/batcher.js';
import { fromNow, NOW } from '../store/clock.js';
import type { TaskValues } from '../store/columns.js';
import { transaction } from '../store/database.js';
import type { KeyEntry } from '../store/key.store.js';
import type { TaskFilter } from '../store/ready.store.js';
import { type Script, together } from '../store/transaction.js';
import { check, invalid } from './invalid.js';
import { newToken } from './lease.js';
import { digest, type Queue } from './queue.js';
import { claimLimitRule, isIdLike, keyRule, leaseRule, nameRule, waitRule, workerIdRule } from './rules.js';
import type { WaitingRoom } from './waiting.js';

export interface ClaimOptions extends TaskFilter {
  /**
   * Tasks at most, 0 to 100; 1 by default. 0 withdraws the claim with this `idempotencyKey`, in whatever process it waits:
   * answers what it has taken, and has it take nothing more.
   */
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

interface Taken<T extends Task> {
  /** Taken just now, not answered again. */
  isNew: boolean;
  /** Undefined: the claim was withdrawn. */
  tasks: T[] | undefined;
}

/** Hands ready tasks to workers, each to exactly one. */
export class Claims<T extends Task> implements Batch<ClaimOptions, Taken<T>> {
  constructor(
    private readonly queue: Queue<T>,
    private readonly waiting: WaitingRoom,
  ) {}

  async claim(options: ClaimOptions): Promise<T[]> {
    const { service, group, taskId, wait = 0, signal } = options;
    checkOptions(options);
    if (taskId !== undefined && !isIdLike(taskId)) return [];
    const filter = { service, group, taskId };
    return this.waiting.claim(filter, isWithdrawal(options) ? 0 : wait, signal, () => this.attempt(options));
  }

  private async attempt(options: ClaimOptions): Promise<T[] | undefined> {
    const { signal, idempotencyKey } = options;
    if (signal?.aborted) return [];
    const { isNew, tasks } = await this.queue.batcher.run(this, options);
    if (!tasks) return undefined;
    // Whoever has the key comes back for the tasks; without one they would lie until their leases ran out.
    if (signal?.aborted && idempotencyKey === undefined) {
      await this.undo(tasks);
      return [];
    }
    if (isNew) this.queue.events.tell('started', tasks);
    return tasks;
  }

  *script(claims: ClaimOptions[]): Script<Outcome<Taken<T>>[]> {
    const taken = new Map<ClaimOptions, Taken<T>>();
    for (const [claim, tasks] of yield* this.answeredBefore(claims)) taken.set(claim, { isNew: false, tasks });
    const unanswered = claims.filter((claim) => !taken.has(claim));
    // Where nobody is left to hear the answer, nothing is taken.
    const open = unanswered.filter((claim) => !claim.signal?.aborted && !isWithdrawal(claim));
    // One service has nothing to do with another. Filters that may find the same tasks go one after the other.
    const { apart, crossing } = byService(open);
    const dealt = yield* together(apart.map((claims) => this.takeAll(claims)));
    for (const shares of [...dealt, yield* this.takeAll(crossing)])
      for (const [claim, tasks] of shares) taken.set(claim, { isNew: true, tasks });
    const used = open.flatMap((claim) => entryOf(claim, taken.get(claim)!.tasks!));
    const withdrawn = unanswered.filter(isWithdrawal).map((claim) => entry(keyOf(claim)!, []));
    yield* this.queue.keys.add([...used, ...withdrawn], KEY_SECONDS);
    return claims.map((claim) => done(taken.get(claim) ?? { isNew: true, tasks: [] }));
  }

  keys(claim: ClaimOptions): string[] {
    const key = keyOf(claim);
    return key === undefined ? [] : [key];
  }

  size({ limit = 1 }: ClaimOptions): Size {
    return { rows: limit, chars: 0 };
  }

  /** What keys of theirs were answered before, while those leases live; undefined for those that were withdrawn. */
  private *answeredBefore(claims: ClaimOptions[]): Script<Map<ClaimOptions, T[] | undefined>> {
    const { keys, tasks } = this.queue;
    const answered = new Map<ClaimOptions, T[] | undefined>();
    const known = yield* keys.known(claims.flatMap((claim) => this.keys(claim)));
    for (const claim of claims) {
      const entry = known.get(keyOf(claim) ?? '');
      if (!entry) continue;
      if (entry.taskIds.length === 0) {
        answered.set(claim, undefined);
        continue;
      }
      const held = (yield* tasks.findAll(entry.taskIds)).filter((task) => this.isHeldBy(task, entry.id));
      if (held.length > 0) answered.set(claim, held);
      // Used anew.
      else yield* keys.drop(entry);
    }
    return answered;
  }

  private isHeldBy(task: T, claimKey: string): boolean {
    return task.claimKey === claimKey && this.queue.lifeCycle.isHeld(task.status);
  }

  private *takeAll(claims: ClaimOptions[]): Script<[ClaimOptions, T[]][]> {
    const shares: [ClaimOptions, T[]][] = [];
    for (const alike of groupBy(claims, ({ group, service, taskId }) => JSON.stringify([service, group, taskId])))
      shares.push(...(yield* this.take(alike)));
    return shares;
  }

  /** Deals the ready tasks of one filter out to its claims, in the order that they came in. BEGIN to START. */
  private *take(claims: ClaimOptions[]): Script<[ClaimOptions, T[]][]> {
    const { ready, tasks } = this.queue;
    const wanted = claims.reduce((sum, { limit = 1 }) => sum + limit, 0);
    const { tasks: found, now } = yield* ready.find(claims[0]!, wanted);
    const shares = claims.map((claim) => ({ claim, share: found.splice(0, claim.limit ?? 1) }));
    const changes = shares.flatMap(({ claim, share }) =>
      share.map((task) => ({ task, values: this.start(task, claim) })),
    );
    yield* tasks.updateEach(changes, now);
    return shares.map(({ claim, share }) => [claim, share]);
  }

  private start({ service, attempts }: T, claim: ClaimOptions): TaskValues {
    const { lease, legacy = false, workerId = null } = claim;
    const policy = this.queue.policies.of(service);
    const seconds = legacy ? policy.legacyLease : (lease ?? policy.lease);
    return {
      status: this.queue.lifeCycle.status.START,
      attempts: attempts + 1,
      leaseToken: newToken(legacy),
      leaseSeconds: seconds,
      leaseExpiresAt: fromNow(seconds),
      workerId,
      claimKey: keyOf(claim) ?? null,
      startedAt: NOW,
    };
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
  else if (limit === 0)
    throw invalid([{ field: 'limit', rule: 'withdrawal', msg: 'limit 0 withdraws a claim: send its Idempotency-Key' }]);
}

const isWithdrawal = ({ limit }: ClaimOptions): boolean => limit === 0;

/** Two workers that chose the same key are two. */
const keyOf = ({ idempotencyKey, credential = '', workerId = '' }: ClaimOptions): string | undefined =>
  idempotencyKey === undefined ? undefined : digest('claim', credential, workerId, idempotencyKey);

const entryOf = (claim: ClaimOptions, tasks: Task[]): KeyEntry[] => {
  const key = tasks.length === 0 ? undefined : keyOf(claim);
  return key === undefined ? [] : [entry(key, tasks)];
};

/** Without tasks: the claim was withdrawn. */
const entry = (key: string, tasks: Task[]): KeyEntry => ({
  id: key,
  fingerprint: key,
  taskIds: tasks.map((task) => task.taskId),
});

/** Claims of each service, and those that name none, or a task, and so may meet with any of the others. */
function byService(claims: ClaimOptions[]): { apart: ClaimOptions[][]; crossing: ClaimOptions[] } {
  const named = claims.filter(({ service, taskId }) => service !== undefined && taskId === undefined);
  const crossing = claims.filter(({ service, taskId }) => service === undefined || taskId !== undefined);
  return { apart: groupBy(named, ({ service }) => service!), crossing };
}

function groupBy<I>(items: I[], keyOf: (item: I) => string): I[][] {
  const groups = new Map<string, I[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}
