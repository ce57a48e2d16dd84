import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';

const logger = new Logger('TaskModule');

/** The task as GET shows it, as JSON. undefined if the host's `toResponse()` fails. */
export function shown(task: Task): string | undefined {
  try {
    return JSON.stringify(task.toResponse());
  } catch (error) {
    logger.error(`task ${task.taskId} cannot be sent to its event streams: ${String(error)}`);
    return undefined;
  }
}
