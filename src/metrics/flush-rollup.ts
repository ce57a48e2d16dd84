import { type Database, transaction } from '../database/database.js';
import type { Interval, Job } from '../polling/poller.js';
import type { Rollup } from './rollup.js';
import type { RollupStore } from './rollup.store.js';

/**
 * Writes what this process has counted, with one statement for up to 500 rows. A process that is killed loses the counts
 * of at most 10 s. If the connection breaks at the commit, counts may be added twice.
 */
export class FlushRollup implements Job {
  readonly name = 'writing metrics';
  readonly interval: Interval = { shortest: 10_000, longest: 10_000 };

  constructor(
    private readonly database: Database,
    private readonly store: RollupStore,
    private readonly rollup: Rollup,
  ) {}

  async run(): Promise<boolean> {
    const rows = this.rollup.take();
    if (rows.length === 0) return false;
    try {
      await transaction(this.database, () => this.store.add(rows));
    } catch (error) {
      this.rollup.giveBack(rows);
      throw error;
    }
    return true;
  }
}
