import type { CallbackStore } from '../store/callback.store.js';
import { type Database, reading } from '../store/database.js';
import type { Due } from './places.js';

/** Rows that one look sees: more than it takes, so that one origin's crowd does not hide the others. */
const WINDOW = 256;
/**
 * Milliseconds between looks at everything while receivers hang that have a long queue, and how many times as long as
 * such a look takes: in between, only what became due since is looked at, and before that by the time that a transaction
 * may take to commit.
 */
const RESCAN = { every: 1000, times: 50, slack: 2000 } as const;

/** What is due, longest first, without reading the long queues of busy origins each time. */
export class DueList {
  /** The last look at everything that found nothing but queues of these origins. */
  private queues: { origins: string[]; at: number; until: number } | undefined;

  constructor(
    private readonly database: Database,
    private readonly store: CallbackStore,
  ) {}

  /** At other origins than these; `isAll`: there is no more there. */
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
