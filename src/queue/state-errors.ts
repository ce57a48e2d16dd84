import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import type { LifeCycle } from './life-cycle.js';

/** INVALID_STATE: the task's status, and the statuses that this mover may ask for. */
export function refusal(lifeCycle: LifeCycle, task: Task, by: 'user' | 'worker', why?: string): TaskError {
  const allowed = lifeCycle.allowed(task.status, by);
  return new TaskError('INVALID_STATE', {
    status: task.status,
    allowed,
    msg: why ?? `a ${by} may move a task with status ${task.status} to ${allowed.join(', ') || 'no other status'}`,
  });
}

/** LEASE_LOST: the report does not count. The error shows the task as it is now. */
export const leaseLost = (task: Task, why: string): TaskError =>
  new TaskError('LEASE_LOST', { status: task.status, msg: why, task: task.toResponse() });
