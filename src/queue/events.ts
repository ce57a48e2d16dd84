import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';

/** What happened to a task. */
export type TaskEventType = 'created' | 'ready' | 'started' | 'progressed' | 'finished' | 'failed' | 'cancelled';

/** Events that end a task. */
export const ENDS: readonly TaskEventType[] = ['finished', 'failed', 'cancelled'];

export interface TaskEvent<T extends Task = Task> {
  type: TaskEventType;
  /** The task after the event. */
  task: T;
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

  tell(event: TaskEvent<T>): void {
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
