import type { NewTask } from './wire.types.js';

/** Batches on the wire, as in the OpenAPI document. */

/** A task of a batch. It is ready at once unless its `status` says that it is a draft. */
export interface BatchTask extends NewTask {
  /** Its name, for `dependsOn` of others. */
  ref?: string;
  /** The tasks of the same request that have to end first, by their `ref`. It is WAITING until then. */
  dependsOn?: string[];
  /**
   * If one of them fails or is cancelled: `finished` lets this task fail with DEPENDENCY_FAILED, `ended` runs it
   * nevertheless. @defaultValue 'finished'
   */
  runOn?: 'finished' | 'ended';
}

/** The task that is created when all tasks of a batch have ended. */
export type ThenTask = Omit<NewTask, 'status' | 'runAt'>;

export interface BatchSettings {
  /** In its `input` and `args`, `{{batchId}}` stands for the batch and `{{batchState}}` for its state. */
  then?: ThenTask;
  /** Gets the notice `batch.finished`. */
  callbackUrl?: string;
  /** What the first failed task does to the others. @defaultValue 'finish' */
  onFailure?: 'finish' | 'cancel';
  /** false: the batch stays open for more tasks. @defaultValue true */
  seal?: boolean;
}

export interface NewBatch extends BatchSettings {
  tasks: BatchTask[];
}

export type BatchState = 'open' | 'running' | 'finished' | 'failed' | 'cancelled';

/** The tasks of a batch that have ended. */
export interface EndedCounts {
  finished: number;
  failed: number;
  cancelled: number;
}

/** The tasks of a batch by where they are. `waiting` has the drafts, too. */
export interface BatchCounts extends EndedCounts {
  waiting: number;
  ready: number;
  running: number;
}

/** A batch. In lists, `counts` has only the tasks that have ended. */
export interface Batch<Counts = BatchCounts> {
  batchId: string;
  state: BatchState;
  total: number;
  counts: Counts;
  /** Percent of the tasks that have ended. */
  progress: number;
  onFailure: 'finish' | 'cancel';
  sealed: boolean;
  /** The task that the last end created. */
  thenTaskId: string | null;
  createdAt: string;
  endedAt: string | null;
}

export interface CreatedBatch extends Batch {
  /** The ids of the tasks of the request, in its order. */
  taskIds: string[];
}

/** A batch as operators see it. */
export interface OperatorBatch<Counts = BatchCounts> extends Batch<Counts> {
  /** The owner. */
  userId: string;
}

export interface BatchQuery {
  /** Only batches in this state. A page may then be short although there are more. */
  state?: BatchState;
  /** 1 to 1,000. */
  limit?: number;
  /** The `nextCursor` of the page before. */
  cursor?: string;
}

export interface OperatorBatchQuery extends BatchQuery {
  /** Only batches of this owner. */
  userId?: string;
}

export interface BatchPage<Shown = Batch<EndedCounts>> {
  list: Shown[];
  /** Continues the list, as `cursor`. null: it has reached the end. */
  nextCursor: string | null;
}

/** A task of a batch, and its place in the graph of those that wait for each other. */
export interface BatchMember {
  taskId: string;
  /** The name that its creator gave it. */
  ref: string | null;
  /** null: the task was deleted. */
  status: number | null;
  service: string | null;
  /** How many tasks come before it, one after the other. 0: it waits for none. */
  layer: number;
  /** The ids of the tasks that it waits for. */
  dependsOn: string[];
}

export interface BatchTaskQuery {
  /** Only tasks of this layer. A page may then be short although there are more. */
  layer?: number;
  status?: number;
  /** 1 to 1,000. */
  limit?: number;
  /** The `nextCursor` of the page before. */
  cursor?: string;
}

export interface BatchMemberPage {
  /** In the order in which they were created. */
  list: BatchMember[];
  nextCursor: string | null;
}

/** The tasks of a batch that have as many others before them, one after the other. */
export interface BatchLayer {
  layer: number;
  total: number;
  counts: BatchCounts;
}

export interface BatchLayerPage {
  list: BatchLayer[];
  nextCursor: string | null;
}
