import type { Task } from '../contract/task.entity.js';
import type { NewTask } from '../queue/creation/create.js';

export type { BatchMember } from '../protocol/batch.types.js';

/**
 * open: tasks may still be added. running: some tasks have not ended. When all have ended: `failed` if one failed, else
 * `cancelled` if one was cancelled or deleted, else `finished`.
 */
export const BATCH_STATES = ['open', 'running', 'finished', 'failed', 'cancelled'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** What the first failed task does to the others: nothing, or it cancels them. */
export const ON_FAILURE = ['finish', 'cancel'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** When a task runs that waits for others: after they have finished, or also if some failed or were cancelled. */
export const RUN_ON = ['finished', 'ended'] as const;
export type RunOn = (typeof RUN_ON)[number];

/** A task of a batch: what a create takes, and the tasks that it waits for. It is ready at once unless `status` is INIT. */
export type BatchTask<T extends Task = Task> = Omit<NewTask<T>, 'userId'> & {
  /** Its name, for `dependsOn` of other tasks in the same call: at most 128 characters. */
  ref?: string | undefined;
  /** The tasks of the same call that have to end first, by their `ref`. It stays WAITING until then. */
  dependsOn?: string[] | undefined;
  /**
   * What happens if one of them fails or is cancelled: `finished` lets this task fail with DEPENDENCY_FAILED, `ended`
   * runs it nevertheless. @defaultValue 'finished'
   */
  runOn?: RunOn | undefined;
};

/** The task that is created when all tasks of a batch have ended. */
export type ThenTask<T extends Task = Task> = Omit<NewTask<T>, 'userId' | 'runAt' | 'status'>;

export interface NewBatch<T extends Task = Task> {
  tasks: BatchTask<T>[];
  /**
   * Created in the transaction that ends the last task. In its `input` and `args`, `{{batchId}}` stands for the batch
   * and `{{batchState}}` for its state.
   */
  then?: ThenTask<T> | undefined;
  /** Gets the notice `batch.finished` instead of option `callbackUrl`. Option `callbackAllow` must list its origin. */
  callbackUrl?: string | undefined;
  /** @defaultValue 'finish' */
  onFailure?: OnFailure | undefined;
  /** false: the batch stays open for more tasks. @defaultValue true */
  seal?: boolean | undefined;
}

/** How many tasks of a batch are where. `waiting` has the drafts, too. */
export interface BatchCounts {
  waiting: number;
  ready: number;
  running: number;
  finished: number;
  failed: number;
  /** Those that were deleted before their end count here. */
  cancelled: number;
}

/** A batch in a list: `counts` has only the tasks that have ended. */
export interface BatchSummary {
  batchId: string;
  userId: string;
  state: BatchState;
  /** Tasks that were created in it. */
  total: number;
  counts: Pick<BatchCounts, 'finished' | 'failed' | 'cancelled'>;
  /** Percent of the tasks that have ended. */
  progress: number;
  onFailure: OnFailure;
  /** No tasks are added any more. */
  sealed: boolean;
  /** The task that the last end created. */
  thenTaskId: string | null;
  createdAt: Date;
  endedAt: Date | null;
}

export interface Batch extends BatchSummary {
  counts: BatchCounts;
}

export interface CreatedBatch extends Batch {
  /** The ids of the tasks of this call, in its order. */
  taskIds: string[];
}

/** The tasks of a batch that have as many others before them, one after the other. */
export interface BatchLayer {
  layer: number;
  total: number;
  counts: BatchCounts;
}
