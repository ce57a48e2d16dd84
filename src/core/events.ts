import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';

/** What happened to a task. */
export type TaskEventType = 'created' | 'ready' | 'started' | 'progressed' | 'finished' | 'failed' | 'cancelled';

export interface TaskEvent<T extends Task = Task> {
  type: TaskEventType;
  /** The task as the event left it. */
  task: T;
}

/** Called after the commit, in this process alone. What it throws is logged and disturbs nobody. */
export type TaskListener<T extends Task = Task> = (event: TaskEvent<T>) => void | Promise<void>;

/** Tells listeners of this process what its own transactions did. */
export class TaskEvents<T extends Task> {
  private readonly logger = new Logger('TaskModule');
  /** Of any task: a service of a host's entity must pass for one of `Task`. */
  private readonly listeners = new Set<TaskListener<any>>();

  /** Answers how to stop listening. */
  on(listener: TaskListener<T>): () => void {
    // Wrapped: the same function may listen twice, and stop once.
    const own: TaskListener<T> = (event) => listener(event);
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  tell(type: TaskEventType, tasks: readonly T[]): void {
    for (const task of tasks) for (const listener of this.listeners) this.call(listener, { type, task });
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
