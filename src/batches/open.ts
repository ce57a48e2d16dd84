import type { Task } from '../contract/task.entity.js';
import type { Dialect } from '../database/dialects/dialect.js';
import { type Job, Poller, type Service } from '../polling/poller.js';
import { pruneJob } from '../polling/prune.js';
import { TaskIds } from '../queue/ids.js';
import type { Queue } from '../queue/queue.js';
import { Creation } from '../queue/creation/create.js';
import { BatchCounter } from './batch-counter.js';
import { BatchGraph } from './batch-graph.js';
import { BatchEnd, type NotifyOfBatch } from './batch-end.js';
import { BatchRunner } from './batch-runner.js';
import { BatchStore } from './batch.store.js';
import { Batches } from './batches.js';
import type { BatchesValues } from './batches.options.js';
import { GraphStore } from './graph.store.js';
import { MemberStore } from './member.store.js';
import { Planner } from './plan.js';

/** Where the notices of batches go: wired by the callbacks. */
export interface BatchNotices {
  /** The form in which an address is stored. INVALID_PARAM. */
  admit(url: string): Promise<string>;
  notify: NotifyOfBatch;
  /** There may be a notice to deliver. */
  wake(): void;
}

/** The batches of a running queue. */
export interface BatchRoom<T extends Task> {
  batches: Batches<T>;
  /** What runs while the queue does. */
  running: Service[];
  jobs: Job[];
}

/** Adds them to a queue that has been opened. `isWatching`: this process looks for work as long as it runs. */
export function openBatches<T extends Task>(
  { maxBatchTasks, batchRetention }: BatchesValues,
  dialect: Dialect,
  queue: Queue<T>,
  notices: BatchNotices,
  isWatching: boolean,
): BatchRoom<T> {
  const { hooks, database, lifeCycle } = queue;
  const stores = { batches: new BatchStore(dialect), members: new MemberStore(dialect) };
  const creation = new Creation(queue);
  const end = new BatchEnd(stores.batches, creation, notices.notify, lifeCycle.status.BEGIN);
  const counter = new BatchCounter<T>(stores.batches, stores.members, end);
  const runner = new BatchRunner(queue, stores, counter, end, isWatching);
  queue.retained.keeps.push(stores.batches.keepsTask);
  hooks.inTransaction.push((events) => counter.changed(events));
  hooks.beforeRemoval.push((tasks) => counter.removing(tasks));
  hooks.afterCommit.push(({ task }) => {
    const consequence = counter.consequenceOf(task as T);
    if (!consequence) return;
    hooks.committed(consequence.events);
    if (consequence.hasWork) runner.wake();
  });
  const graph = new BatchGraph(queue, { ...stores, graph: new GraphStore(dialect) });
  const planner = new Planner(creation, lifeCycle, maxBatchTasks, notices.admit);
  const seconds = batchRetention * 86_400;
  const prune = pruneJob('deleting old batches', database, function* (limit) {
    const [id] = yield* stores.batches.over(seconds, 1);
    if (id === undefined) return 0;
    const deleted = yield* stores.members.purge(id, limit);
    if (deleted < limit) yield* stores.batches.delete([id]);
    return limit;
  });
  // Batches that only code makes grow old, too: the process that makes one prunes from then on.
  const pruner = isWatching ? undefined : new Poller(prune);
  const wake = (): void => {
    runner.wake();
    pruner?.start();
    notices.wake();
  };
  return {
    batches: new Batches(queue, stores, creation, planner, end, new TaskIds(), graph, wake),
    running: [runner, ...(pruner ? [{ stop: () => pruner.stop() }] : [])],
    jobs: isWatching ? [prune] : [],
  };
}
