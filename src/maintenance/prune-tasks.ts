import type { Task } from '../contract/task.entity.js';
import { transaction } from '../database/database.js';
import type { Job } from '../polling/poller.js';
import type { Queue } from '../queue/queue.js';
import { PRUNE_INTERVAL } from '../polling/prune.js';

/** Rows that one look passes. */
const STEP = 500;

/** Deletes ended tasks that are older than option `retention` allows: walks through the table, one step per look. */
export class PruneTasks<T extends Task> implements Job {
  readonly name = 'deleting old tasks';
  readonly interval = PRUNE_INTERVAL;
  private walkedTo = '';

  constructor(private readonly queue: Queue<T>) {}

  /** False if all tasks are kept without a limit. */
  get isNeeded(): boolean {
    const { finished, failed } = this.queue.settings.retention;
    return finished !== undefined || failed !== undefined;
  }

  async run(): Promise<boolean> {
    const { retained, database, settings } = this.queue;
    const last = await transaction(database, () => retained.prune(this.walkedTo, STEP, settings.retention));
    this.walkedTo = last ?? '';
    return last !== undefined;
  }
}
