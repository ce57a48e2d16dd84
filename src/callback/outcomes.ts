import { type Batch, type Batcher, done, type Outcome, type Size } from '../store/batcher.js';
import type { CallbackOutcome, CallbackStore } from '../store/callback.store.js';
import type { Script } from '../store/transaction.js';

/** Milliseconds between two attempts to write down an outcome. */
const PAUSE = 250;

/** Writes down what came of tries, with whatever else waits. */
export class Outcomes implements Batch<CallbackOutcome, true> {
  private closed = false;

  constructor(
    private readonly batcher: Batcher,
    private readonly store: CallbackStore,
  ) {}

  /**
   * True once it is written. A database that is away is asked again while the lease lasts: were the outcome lost, the
   * receiver would be called twice.
   */
  async record(outcome: CallbackOutcome, until: number): Promise<boolean> {
    while (!this.closed) {
      try {
        return await this.batcher.run(this, outcome);
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
    // In the order of their ids, in which takers lock them, too.
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
