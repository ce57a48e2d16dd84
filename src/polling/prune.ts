import { type Database, transaction } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import type { Interval, Job } from './poller.js';

/** While there is more to delete: every second. Otherwise every minute. */
export const PRUNE_INTERVAL: Interval = { shortest: 1000, longest: 60_000, growth: 60 };

/** Rows that one transaction deletes, and the most transactions of one look. Together faster than rows are created. */
const PIECE = { rows: 1000, most: 10 } as const;

/** Deletes expired rows in pieces. `script` deletes at most `limit` rows, and returns how many. */
export const pruneJob = (name: string, database: Database, script: (limit: number) => Script<number>): Job => ({
  name,
  interval: PRUNE_INTERVAL,
  async run(isOver) {
    for (let piece = 0; piece < PIECE.most && !isOver(); piece++) {
      if ((await transaction(database, () => script(PIECE.rows))) < PIECE.rows) return false;
      // SQLite answers synchronously, so this lets requests run in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return true;
  },
});
