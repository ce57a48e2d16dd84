import type { Task } from '../contract/task.entity.js';
import type { Dialect } from '../database/dialects/dialect.js';
import { TaskIds } from '../queue/ids.js';
import type { Queue } from '../queue/queue.js';
import { BulkRunner } from './bulk-runner.js';
import { BulkStore } from './bulk.store.js';
import { Bulks } from './bulks.js';

/** The bulk changes of a running queue. */
export interface BulkRoom<T extends Task> {
  bulks: Bulks<T>;
  runner: BulkRunner<T>;
}

/** Adds them to a queue that has been opened. */
export function openBulks<T extends Task>(queue: Queue<T>, dialect: Dialect, isWatching: boolean): BulkRoom<T> {
  const store = new BulkStore(dialect);
  const runner = new BulkRunner(queue, store, isWatching);
  const ids = new TaskIds();
  return { bulks: new Bulks(queue, store, runner, () => ids.next()), runner };
}
