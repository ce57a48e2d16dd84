import type { Type } from '@nestjs/common';
import { TASK_ERRORS, type TaskErrorCatalogue } from './errors.js';
import { TaskResponse } from './response.js';
import { TASK_STATUS, type TaskStatusCatalogue } from './status.js';
import { Task } from './task.entity.js';

/** Which queue a registration is, and which parts of its contract a host replaces. */
export class ContractStructure {
  /** Name of the registration, for a second one in the same app. @defaultValue 'default' */
  name: string = 'default';

  /** Name of the TypeORM data source. @defaultValue 'default' */
  dataSource: string = 'default';

  /**
   * Name of the task table, at most 48 letters, digits and underscores. For use without `entity`. @defaultValue the
   * entity's: 'tasks'
   */
  table?: string;

  /** The entity: a class that extends `Task`. It may add columns and override `toResponse()`. @defaultValue Task */
  entity: Type<Task> = Task;

  /** Role of a status -> stored integer, plus the host's own statuses. @defaultValue TASK_STATUS */
  status: TaskStatusCatalogue = TASK_STATUS as TaskStatusCatalogue;

  /** Name of an error -> code, text, HTTP status, headers. @defaultValue TASK_ERRORS */
  error: TaskErrorCatalogue = TASK_ERRORS as unknown as TaskErrorCatalogue;

  /** Shapes both envelopes: a class that extends `TaskResponse`. @defaultValue TaskResponse */
  response: Type<TaskResponse> = TaskResponse;
}
