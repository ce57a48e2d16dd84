import type { Script } from '../../database/transaction.js';
import type { Allowance } from '../gates.js';
import type { Claim } from './claim-options.js';

/** Counts the tasks that a transaction starts against what it may start. */
export class Starts {
  private readonly services: string[] = [];

  constructor(private readonly allowance: Allowance | undefined) {}

  mayStart(service: string): boolean {
    if (!this.allowance) return true;
    const left = this.allowance.left(service);
    return left === Infinity || this.services.filter((name) => name === service).length < left;
  }

  note(service: string): void {
    if (this.allowance) this.services.push(service);
  }

  /** Takes them off what is left. */
  *spend(): Script<void> {
    if (this.services.length > 0) yield* this.allowance!.started(this.services);
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
