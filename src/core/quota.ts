import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { type Script, together } from '../store/transaction.js';
import { digest, type Queue, type QueueSettings } from './queue.js';

/** Owner -> most tasks of its that have not ended. */
export type Limits = Map<string, number>;

/** The limits of these owners; those without one are left out. */
export async function limitsOf({ maxActiveTasks }: QueueSettings, owners: Iterable<string>): Promise<Limits> {
  const limits: Limits = new Map();
  if (maxActiveTasks === undefined) return limits;
  for (const owner of owners) {
    const limit = typeof maxActiveTasks === 'function' ? await maxActiveTasks(owner) : maxActiveTasks;
    if (limit !== undefined) limits.set(owner, limit);
  }
  return limits;
}

/** Seconds after which the lock of an owner who creates nothing is forgotten. */
const LOCK_SECONDS = 86_400;

const lockOf = (owner: string): string => digest('quota', owner);

/** What owners may still create in this transaction. Exact, whoever else creates: an owner's creations go one after the other. */
export class Quotas {
  private readonly active = new Map<string, number>();

  private constructor(private readonly limits: Limits) {}

  static *lock<T extends Task>({ keys, tasks, lifeCycle }: Queue<T>, limits: Limits): Script<Quotas> {
    const quotas = new Quotas(limits);
    yield* keys.lock([...limits.keys()].map(lockOf), LOCK_SECONDS);
    const owners = [...limits];
    const counts = yield* together(
      owners.map(([owner, limit]) => tasks.countOthers(owner, lifeCycle.endedStatuses, limit + 1)),
    );
    for (const [index, [owner]] of owners.entries()) quotas.active.set(owner, counts[index]!);
    return quotas;
  }

  /** Owners among these whose creations somebody else's transaction holds up. */
  static *held<T extends Task>({ keys }: Queue<T>, limits: Limits): Script<Set<string>> {
    const held = yield* keys.held([...limits.keys()].map(lockOf));
    return new Set([...limits.keys()].filter((owner) => held.has(lockOf(owner))));
  }

  /** Takes places for so many tasks of each owner, all or none; answers TOO_MANY_TASK where there are too few. */
  take(more: Map<string, number>): TaskError | undefined {
    for (const [owner, count] of more) {
      const limit = this.limits.get(owner);
      const active = this.active.get(owner);
      if (limit === undefined || active === undefined || active + count <= limit) continue;
      const msg = `at most ${limit} tasks at a time: wait until some have ended, or cancel them`;
      return new TaskError('TOO_MANY_TASK', { limit, active, msg });
    }
    for (const [owner, count] of more) this.active.set(owner, (this.active.get(owner) ?? 0) + count);
    return undefined;
  }
}
