import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';

/** What happened to a task. */
export type TaskEventType = 'created' | 'ready' | 'started' | 'progressed' | 'finished' | 'failed' | 'cancelled';

/** Events that end a task. */
export const ENDS: readonly QueueEventType[] = ['finished', 'failed', 'cancelled'];

export interface TaskEvent<T extends Task = Task> {
  type: TaskEventType;
  /** The task after the event. */
  task: T;
}

/** How an attempt ended. An attempt whose task was cancelled has no outcome. */
export type AttemptOutcome = 'finished' | 'failed' | 'leaseExpired' | 'released';

/** The end of an attempt. */
export interface AttemptEnd {
  outcome: AttemptOutcome;
  /** Why it failed, in the worker's words. */
  error: string | null;
}

/** Event types of the hooks: those of listeners, and `waiting`, when a task will be ready again later. */
export type QueueEventType = TaskEventType | 'waiting';

/** What the queue tells its hooks. */
export interface QueueEvent<T extends Task = Task> {
  type: QueueEventType;
  /** The task after the event. The worker and the start of an attempt that ended are still on it. */
  task: T;
  /** The attempt that ended by this change of status. */
  attempt?: AttemptEnd | undefined;
  /** With `started`: since when the task was ready. undefined if plain SQL took the task. */
  readySince?: Date | undefined;
}

/** Called after the commit, in this process only. An error that it throws is logged and affects nothing else. */
export type TaskListener<T extends Task = Task> = (event: TaskEvent<T>) => void | Promise<void>;

/** Tells the listeners of this process what its own transactions did. */
export class TaskEvents<T extends Task> {
  private readonly logger = new Logger('TaskModule');
  /** `any`: a service of a host's entity must be assignable to one of `Task`. */
  private readonly listeners = new Set<TaskListener<any>>();

  /** Returns a function that stops listening. */
  on(listener: TaskListener<T>): () => void {
    // Wrapped, so that one function may listen twice and be removed once.
    const own: TaskListener<T> = (event) => listener(event);
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  tell({ type, task }: QueueEvent<T>): void {
    if (type === 'waiting' || this.listeners.size === 0) return;
    const event = { type, task };
    for (const listener of this.listeners) this.call(listener, event);
  }

  private call(listener: TaskListener<T>, event: TaskEvent<T>): void {
    try {
      Promise.resolve(listener(event)).catch((error: unknown) => this.failed(event, error));
    } catch (error) {
      this.failed(event, error);
    }
  }

  private failed({ type, task }: TaskEvent<T>, error: unknown): void {
    this.logger.error(
      `a listener failed on '${type}' of task ${task.taskId}`,
      error instanceof Error ? error.stack : error,
    );
  }
}
