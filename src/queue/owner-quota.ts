import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { type Script, together } from '../database/transaction.js';
import { digest, type Queue, type QueueSettings } from './queue.js';

/** Owner -> the most tasks of that owner that have not ended. */
export type OwnerQuotas = Map<string, number>;

/** The quotas of these owners. Owners without a quota are left out. */
export async function quotasOf({ maxActiveTasks }: QueueSettings, owners: Iterable<string>): Promise<OwnerQuotas> {
  const limits: OwnerQuotas = new Map();
  if (maxActiveTasks === undefined) return limits;
  for (const owner of owners) {
    const limit = typeof maxActiveTasks === 'function' ? await maxActiveTasks(owner) : maxActiveTasks;
    if (limit !== undefined) limits.set(owner, limit);
  }
  return limits;
}

/** Seconds after which the lock row of an owner who creates nothing is deleted. */
const LOCK_SECONDS = 86_400;

const lockOf = (owner: string): string => digest('quota', owner);

/**
 * How many tasks the owners may still create in this transaction. Exact, because creates of one owner run one after the
 * other.
 */
export class Quotas {
  private readonly active = new Map<string, number>();

  private constructor(private readonly limits: OwnerQuotas) {}

  static *lock<T extends Task>({ keys, tasks, lifeCycle }: Queue<T>, limits: OwnerQuotas): Script<Quotas> {
    const quotas = new Quotas(limits);
    yield* keys.lock([...limits.keys()].map(lockOf), LOCK_SECONDS);
    const owners = [...limits];
    const counts = yield* together(
      owners.map(([owner, limit]) => tasks.countOthers(owner, lifeCycle.endedStatuses, limit + 1)),
    );
    for (const [index, [owner]] of owners.entries()) quotas.active.set(owner, counts[index]!);
    return quotas;
  }

  /** Those of the owners whose creates have to wait for another transaction. */
  static *held<T extends Task>({ keys }: Queue<T>, limits: OwnerQuotas): Script<Set<string>> {
    const held = yield* keys.held([...limits.keys()].map(lockOf));
    return new Set([...limits.keys()].filter((owner) => held.has(lockOf(owner))));
  }

  /**
   * Takes the given number of places for each owner, all or none. Returns TOO_MANY_TASK if an owner has too few left.
   */
  take(more: Map<string, number>): TaskError | undefined {
    for (const [owner, count] of more) {
      const limit = this.limits.get(owner);
      const active = this.active.get(owner);
      if (limit === undefined || active === undefined || active + count <= limit) continue;
      const msg = `an owner may have at most ${limit} open tasks; wait until some end, or cancel some`;
      return new TaskError('TOO_MANY_TASK', { limit, active, msg });
    }
    for (const [owner, count] of more) this.active.set(owner, (this.active.get(owner) ?? 0) + count);
    return undefined;
  }
}
