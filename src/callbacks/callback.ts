import type { TaskRole } from '../contract/status.js';

/** The type of a callback, by the role in which the task ended. */
export const CALLBACK_TYPES = {
  FINISHED: 'task.finished',
  ERROR: 'task.failed',
  CANCELLED: 'task.cancelled',
} as const satisfies Partial<Record<TaskRole, string>>;
/** The type of a callback that tells of the end of a batch. */
export const BATCH_CALLBACK = 'batch.finished';
export type CallbackType = (typeof CALLBACK_TYPES)[keyof typeof CALLBACK_TYPES] | typeof BATCH_CALLBACK;

/**
 * pending: to be delivered, now or at `dueAt`. delivered: answered 2xx. dead: given up, but kept for a look or a
 * replay.
 */
export const CALLBACK_STATES = ['pending', 'delivered', 'dead'] as const;
export type CallbackState = (typeof CALLBACK_STATES)[number];

/** The outcome of one try: an HTTP status, or why there was none. */
export interface CallbackTry {
  /** ISO 8601, UTC, by the database's clock. */
  time: string;
  status?: number;
  error?: string;
  durationMs: number;
}

/** One notice of one end of a task, or of a batch. */
export interface TaskCallback {
  /** The `webhook-id`, the same in all tries. */
  id: string;
  /** The task. Of `batch.finished`: the batch. */
  taskId: string;
  type: CallbackType;
  url: string;
  state: CallbackState;
  /** Tries since the callback was created or last replayed, without those that a stopping process broke off. */
  attempts: number;
  /** When the next try is due. During a try: when its lease runs out. null once the callback has ended. */
  dueAt: Date | null;
  /**
   * The last tries, oldest first, without a running one. If a process was killed, the next try records its lost try.
   */
  tries: CallbackTry[];
  createdAt: Date;
  /** When it was delivered or given up. */
  endedAt: Date | null;
}
