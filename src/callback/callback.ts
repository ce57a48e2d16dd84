import type { TaskRole } from '../contract/status.js';

/** What a callback tells, by the role that the task has ended in. */
export const CALLBACK_TYPES = {
  FINISHED: 'task.finished',
  ERROR: 'task.failed',
  CANCELLED: 'task.cancelled',
} as const satisfies Partial<Record<TaskRole, string>>;
export type CallbackType = (typeof CALLBACK_TYPES)[keyof typeof CALLBACK_TYPES];

/** pending: to be delivered, now or at `dueAt`. delivered: answered 2xx. dead: given up, kept to be looked at and replayed. */
export const CALLBACK_STATES = ['pending', 'delivered', 'dead'] as const;
export type CallbackState = (typeof CALLBACK_STATES)[number];

/** What came of one try: an HTTP status, or why there was none. */
export interface CallbackTry {
  /** ISO 8601, UTC, by the database's clock. */
  time: string;
  status?: number;
  error?: string;
  durationMs: number;
}

/** One notice of one end of a task. */
export interface TaskCallback {
  /** The `webhook-id`, the same over all tries. */
  id: string;
  taskId: string;
  type: CallbackType;
  url: string;
  state: CallbackState;
  /** Tries begun since it was made or last replayed, but for those that a process which stopped has broken off. */
  attempts: number;
  /** When the next try is due, or, while one is under way, when its lease runs out; null once it has ended. */
  dueAt: Date | null;
  /** The last tries, oldest first, but for one that is under way; one whose process was killed is told of by the next. */
  tries: CallbackTry[];
  createdAt: Date;
  /** When it was delivered or given up. */
  endedAt: Date | null;
}
