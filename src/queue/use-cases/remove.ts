import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import type { Script } from '../../database/transaction.js';
import { check } from '../../validation/invalid.js';
import { idsRule, isIdLike, userIdRule } from '../../validation/rules.js';
import type { AsOwner } from './change.js';
import { type InTransaction, type Queue, run } from '../queue.js';

/** The deleted tasks, and those that were not deleted with the reasons. */
export interface Removal {
  deleted: string[];
  notDeleted: { taskId: string; reason: TaskError }[];
}

/** Deletes tasks, except those that a worker holds. With an owner: only that owner's. */
export async function remove<T extends Task>(
  queue: Queue<T>,
  ids: string[],
  { userId, manager }: AsOwner & InTransaction,
): Promise<Removal> {
  if (userId !== undefined) check('userId', userId, userIdRule);
  check('ids', ids, idsRule);
  const { tasks, lifeCycle } = queue;
  const asked = [...new Set(ids)];
  const script = function* (): Script<Removal> {
    const found = yield* tasks.lockAll(asked.filter(isIdLike), userId);
    const statusOf = new Map(found.map((row) => [row.id, row.status]));
    const reason = (id: string): TaskError | undefined => {
      const status = statusOf.get(id);
      if (status === undefined) return new TaskError('NOT_FOUND');
      return lifeCycle.isHeld(status) ? new TaskError('INVALID_STATE') : undefined;
    };
    const deleted = asked.filter((id) => reason(id) === undefined);
    const gone = new Set(deleted);
    yield* queue.hooks.removing(found.filter(({ id }) => gone.has(id)));
    yield* tasks.delete(deleted);
    const kept = asked.filter((id) => reason(id) !== undefined);
    return { deleted, notDeleted: kept.map((taskId) => ({ taskId, reason: reason(taskId)! })) };
  };
  return run(queue, { manager }, script, ({ deleted }) => queue.hooks.removed(deleted));
}
