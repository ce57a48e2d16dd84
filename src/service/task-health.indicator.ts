import { Injectable } from '@nestjs/common';
import { TaskService } from './task.service.js';

/** What `@nestjs/terminus` takes as the result of an indicator. */
export type TaskHealth<Key extends string> = Record<Key, { status: 'up' | 'down' } & Record<string, string>>;

/**
 * An indicator for `@nestjs/terminus`: whether the queue can work, and which part of it cannot. Name it among the
 * `providers` of a module. For a registration with a name make it by a factory:
 * `useFactory: (tasks) => new TaskHealthIndicator(tasks), inject: [getTaskServiceToken('video')]`.
 *
 * The result is a plain object, as terminus makes them, so that the queue needs no terminus.
 */
@Injectable()
export class TaskHealthIndicator {
  constructor(private readonly tasks: TaskService) {}

  /** Up, or down with the parts `database`, `schema` and `process`: `ok`, or why not. Takes at most 2 s. */
  async isHealthy<Key extends string = 'tasks'>(key: Key = 'tasks' as Key): Promise<TaskHealth<Key>> {
    const { ready, parts } = await this.tasks.readiness();
    const health: TaskHealth<string> = { [key]: { status: ready ? 'up' : 'down', ...parts } };
    return health as TaskHealth<Key>;
  }
}
