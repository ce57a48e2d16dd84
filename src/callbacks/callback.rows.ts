import type { CallbackState, CallbackTry, CallbackType, TaskCallback } from './callback.js';
import type { Row } from '../database/transaction.js';

/** A new callback, due at once. */
export interface NewCallback {
  id: string;
  taskId: string;
  type: CallbackType;
  url: string;
  origin: string;
  /** The task named the URL, not the host. */
  isOwn: boolean;
  /** The JSON that is sent, the same bytes in every try. */
  body: string;
}

/** A callback that this process may try until the lease runs out. */
export interface TakenCallback extends NewCallback {
  /** Tries begun, this one included. */
  attempts: number;
  tries: CallbackTry[];
  token: string;
  /** The trace in which the task was created. null: it was not traced, or the task is gone. */
  traceparent: string | null;
  /** When the lease of the previous try ran out, if its outcome was never stored. */
  lapsedAt: Date | undefined;
}

/**
 * The state after a try: delivered, dead, or due again in this many seconds. `untried`: due at once, and the try does
 * not count.
 */
export type Next = 'delivered' | 'dead' | 'untried' | number;

export interface CallbackOutcome {
  id: string;
  token: string;
  next: Next;
  tries: CallbackTry[];
}

export interface CallbackFilter {
  taskId?: string | undefined;
  state?: CallbackState | undefined;
  origin?: string | undefined;
  /** Only callbacks before this id. */
  before?: string | undefined;
  limit: number;
}

/** The callback of a row that was read with the store's columns. */
export function toCallback(row: Row): TaskCallback {
  const time = (value: unknown): Date | null => (value === null ? null : new Date(value as string | number));
  return {
    id: row.id as string,
    taskId: row.task_id as string,
    type: row.type as CallbackType,
    url: row.url as string,
    state: row.state as CallbackState,
    attempts: Number(row.attempts),
    dueAt: time(row.due_at_iso),
    tries: JSON.parse(row.tries as string) as CallbackTry[],
    createdAt: time(row.created_at_iso)!,
    endedAt: time(row.ended_at_iso),
  };
}
