import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import { reading } from '../../database/database.js';
import { isIdLike } from '../../validation/rules.js';
import type { Queue } from '../queue.js';

/** A task of any owner. NOT_FOUND if there is none. */
export async function read<T extends Task>({ database, tasks }: Queue<T>, taskId: string): Promise<T> {
  const task = isIdLike(taskId) ? await reading(database, () => tasks.find(taskId)) : undefined;
  if (!task) throw new TaskError('NOT_FOUND');
  return task;
}

/** A task of this owner. NOT_FOUND if there is none, INVALID_ACCESS if it belongs to another owner. */
export async function readOwn<T extends Task>(queue: Queue<T>, taskId: string, userId: string): Promise<T> {
  const task = await read(queue, taskId);
  if (task.userId !== userId) throw new TaskError('INVALID_ACCESS');
  return task;
}
