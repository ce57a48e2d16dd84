import { type Database, transaction } from '../database/database.js';
import type { Interval, Job } from '../polling/poller.js';
import type { AttemptStore, Place } from './attempt.store.js';

/** Attempts of one task that are kept: a worker may give a task back without end. */
export const KEPT = 100;
/** Rows that one look passes. */
const STEP = 1000;

/**
 * Deletes the attempts of tasks that no longer exist, and all but the newest 100 of each task. It walks through the
 * table, because tasks are deleted in many ways, plain SQL among them, and the deletion of a task without attempts pays
 * nothing for them.
 */
export class PruneAttempts implements Job {
  readonly name = 'deleting attempts of deleted tasks';
  readonly interval: Interval = { shortest: 1000, longest: 10_000, growth: 10 };
  private place: Place | undefined;

  constructor(
    private readonly database: Database,
    private readonly store: AttemptStore,
  ) {}

  async run(): Promise<boolean> {
    const { next, deleted } = await transaction(this.database, () => this.store.prune(this.place, STEP, KEPT));
    this.place = next;
    return deleted > 0;
  }
}
