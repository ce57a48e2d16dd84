import type { CallbackStore } from '../callback.store.js';
import { type Database, reading } from '../../database/database.js';
import type { Due } from './delivery-slots.js';

/** Rows that one look reads: more than it takes, so that the queue of one origin does not hide the others. */
const WINDOW = 256;
/**
 * While receivers with long queues hang, a full look runs at most every `every` ms, and at most every `times` its own
 * duration. In between, a look reads only what became due since then, plus `slack` ms, which is how long a transaction
 * may take to commit.
 */
const RESCAN = { every: 1000, times: 50, slack: 2000 } as const;

/** Due callbacks, oldest first, without reading the long queues of busy origins each time. */
export class DueList {
  /** The last full look that found only queues of these origins. */
  private queues: { origins: string[]; at: number; until: number } | undefined;

  constructor(
    private readonly database: Database,
    private readonly store: CallbackStore,
  ) {}

  /** Due callbacks of other origins than these. `isAll`: there are no more. */
  async without(closed: Set<string>): Promise<{ due: Due[]; isAll: boolean }> {
    const { queues } = this;
    const [at, origins] = [performance.now(), [...closed]];
    const known =
      queues && at < queues.until && queues.origins.every((origin) => closed.has(origin)) ? queues : undefined;
    const seconds = known && (at - known.at + RESCAN.slack) / 1000;
    const due = await reading(this.database, () => this.store.due(origins, WINDOW, seconds));
    if (!known) {
      const until = at + Math.max(RESCAN.every, RESCAN.times * (performance.now() - at));
      this.queues = closed.size > 0 && due.length === 0 ? { origins, at, until } : undefined;
    }
    return { due, isAll: !known && due.length < WINDOW };
  }
}
