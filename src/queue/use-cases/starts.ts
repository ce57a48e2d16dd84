import type { Script } from '../../database/transaction.js';
import type { Allowance, Belonging } from '../gates.js';
import type { Claim } from './claim-options.js';

/** Counts the tasks that a transaction starts against what it may start. */
export class Starts {
  private readonly tasks: Belonging[] = [];

  constructor(private readonly allowance: Allowance | undefined) {}

  mayStart({ service, userId }: Belonging): boolean {
    if (!this.allowance) return true;
    const left = this.allowance.left(service);
    const room = this.allowance.turns(service)?.roomOf(userId) ?? Infinity;
    if (left === Infinity && room === Infinity) return true;
    const others = this.tasks.filter((task) => task.service === service);
    return others.length < left && (room === Infinity || others.filter((task) => task.userId === userId).length < room);
  }

  note({ service, userId, group }: Belonging): void {
    if (this.allowance) this.tasks.push({ service, userId, group });
  }

  /** Takes them off what is left. */
  *spend(): Script<void> {
    if (this.tasks.length > 0) yield* this.allowance!.started(this.tasks);
  }
}

/**
 * Locks what the named services may start, before any task is locked. Returns the claims whose service another
 * transaction holds: each of them runs alone, where it may wait.
 */
export function* enter(claims: Claim[], allowance: Allowance): Script<Set<Claim>> {
  const named = claims.filter(({ service, taskId }) => service !== undefined && taskId === undefined);
  yield* allowance.enter(
    named.map(({ service }) => service!),
    allowance.mayWait,
  );
  return new Set(named.filter(({ service }) => !allowance.mayWait && allowance.isHeld(service!)));
}
