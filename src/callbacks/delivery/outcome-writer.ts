import { type Command, type GroupCommit, done, type Outcome, type Size } from '../../database/group-commit.js';
import type { CallbackOutcome } from '../callback.rows.js';
import type { CallbackStore } from '../callback.store.js';
import type { Script } from '../../database/transaction.js';

/** Milliseconds between two attempts to store an outcome. */
const PAUSE = 250;

/** Stores the outcomes of tries, grouped with other commands that wait. */
export class OutcomeWriter implements Command<CallbackOutcome, true> {
  private closed = false;

  constructor(
    private readonly groupCommit: GroupCommit,
    private readonly store: CallbackStore,
  ) {}

  /**
   * True once the outcome is stored. If the database is away, it tries again until the lease runs out: a lost outcome
   * means that the receiver is called twice.
   */
  async record(outcome: CallbackOutcome, until: number): Promise<boolean> {
    while (!this.closed) {
      try {
        return await this.groupCommit.run(this, outcome);
      } catch {
        if (performance.now() + PAUSE > until) return false;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
    return false;
  }

  close(): void {
    this.closed = true;
  }

  *script(outcomes: CallbackOutcome[]): Script<Outcome<true>[]> {
    // In the order of the ids, in which takers lock the rows, too.
    for (const outcome of [...outcomes].sort((a, b) => (a.id < b.id ? -1 : 1))) yield* this.store.record(outcome);
    return outcomes.map(() => done(true));
  }

  keys({ id }: CallbackOutcome): string[] {
    return [id];
  }

  size({ tries }: CallbackOutcome): Size {
    return { rows: 1, chars: 200 * tries.length };
  }
}
