import { TaskError } from '../../contract/errors.js';
import type { Given } from '../../contract/given.js';
import type { Task } from '../../contract/task.entity.js';
import type { Script } from '../../database/transaction.js';
import type { TaskChanges as TaskChangesOnWire } from '../../protocol/wire.types.js';
import { check } from '../../validation/invalid.js';
import { isIdLike, priorityRule } from '../../validation/rules.js';
import { checkStatus, checkWritten } from '../../validation/task.rules.js';
import { answerBytes, jsonBytes } from '../answer-bytes.js';
import { type AnswerSpace, spaceOf } from '../answer-room.js';
import type { QueueEvent } from '../events.js';
import { type OwnColumns, ownColumns } from '../own-columns.js';
import { type OwnerQuotas, quotasOf, Quotas } from '../owner-quota.js';
import { type InTransaction, type Queue, run } from '../queue.js';
import { refusal } from '../state-errors.js';
import { cancelled, madeReady, runAgain, type Transition } from '../transitions.js';
import { takeAgain } from '../unique-again.js';
import { read } from './read.js';

export type TaskChanges<T extends Task = Task> = OwnColumns<T> &
  Given<TaskChangesOnWire> & {
    /** Only before the task's end. */
    priority?: number | undefined;
  };

/** Only for tasks of this owner. Another owner's task is NOT_FOUND. */
export interface AsOwner {
  userId?: string | undefined;
}

type Where = AsOwner & InTransaction;

/** Which tasks a named change refuses, and why. A change by status only follows `LifeCycle`. */
type Refuse = (task: Task) => string | undefined;

interface Changed<T extends Task> {
  task: T;
  /** The events for listeners. Empty if the status stays. */
  events: QueueEvent<T>[];
}

/** Changes that users, or the host for them, make to their tasks. */
export class Changes<T extends Task> {
  constructor(private readonly queue: Queue<T>) {}

  update(taskId: string, changes: TaskChanges<T>, where: Where): Promise<T> {
    return this.change(taskId, changes, where, () => undefined);
  }

  markReady(taskId: string, where: Where): Promise<T> {
    const refuse = ({ status }: Task): string | undefined =>
      this.queue.lifeCycle.isEnded(status) ? 'this task has ended; use retry() to run it again' : undefined;
    return this.move(taskId, 'BEGIN', where, refuse);
  }

  retry(taskId: string, where: Where): Promise<T> {
    const refuse = ({ status }: Task): string | undefined => {
      const phase = this.queue.lifeCycle.phase(status);
      if (phase === 'INIT') return 'this task is a draft and has not run; use markReady() to make it ready';
      if (phase === 'WAITING') return 'this task waits for its time; use markReady() to make it ready now';
      return undefined;
    };
    return this.move(taskId, 'BEGIN', where, refuse);
  }

  cancel(taskId: string, where: Where): Promise<T> {
    return this.move(taskId, 'CANCELLED', where, () => undefined);
  }

  private move(taskId: string, role: 'BEGIN' | 'CANCELLED', where: Where, refuse: Refuse): Promise<T> {
    return this.change(taskId, { status: this.queue.lifeCycle.status[role] } as TaskChanges<T>, where, refuse);
  }

  private async change(taskId: string, changes: TaskChanges<T>, where: Where, refuse: Refuse): Promise<T> {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    const { priority, status } = changes;
    const space = spaceOf(changes);
    const { queue } = this;
    if (priority !== undefined) check('priority', priority, priorityRule);
    if (status !== undefined) checkStatus(status, queue.lifeCycle.userStatuses);
    checkWritten('change', changes);
    const limits = status === queue.lifeCycle.status.BEGIN ? await this.quotasOf(taskId, where) : new Map();
    const script = (): Script<Changed<T>> => this.script(taskId, changes, where, { limits, space, refuse });
    const { task } = await run(queue, where, script, ({ task: changed, events }) => {
      if (events.length > 0) queue.hooks.committed(events);
      else queue.hooks.edited(changed);
      // It may now stand before a task that was the first.
      if (priority !== undefined && changed.status === queue.lifeCycle.status.BEGIN) queue.ready.madeReady(changed);
    });
    return task;
  }

  private *script(
    taskId: string,
    { input, args, priority, status, ...rest }: TaskChanges<T>,
    { userId, manager }: Where,
    { limits, space, refuse }: { limits: OwnerQuotas; space: AnswerSpace; refuse: Refuse },
  ): Script<Changed<T>> {
    const { queue } = this;
    const own = ownColumns(rest);
    const task = yield* queue.tasks.lock(taskId, userId);
    if (!task) throw new TaskError('NOT_FOUND');
    const full = space.hold(taskId, answerBytes(task) + jsonBytes([input, args, own]));
    if (full instanceof TaskError) throw full;
    if (priority !== undefined && queue.lifeCycle.isEnded(task.status) && status !== queue.lifeCycle.status.BEGIN)
      throw refusal(queue.lifeCycle, task, 'user', 'priority cannot change once a task has ended');
    this.demandEditable(task, input !== undefined || args !== undefined, Object.keys(own).length > 0);
    const why = refuse(task);
    if (why) throw refusal(queue.lifeCycle, task, 'user', why);
    const isForeign = manager !== undefined;
    const move = status === undefined ? undefined : yield* this.moveOf(task, status, limits, isForeign);
    const values = { ...own, input, args, priority, ...move?.values };
    // With nothing to write, not even the time of the change is written.
    if (Object.values(values).every((value) => value === undefined)) return { task, events: [] };
    const [changed] = yield* queue.tasks.update([taskId], values);
    const events: QueueEvent<T>[] = move?.event ? [{ type: move.event, task: changed! }] : [];
    yield* queue.hooks.changed(events);
    return { task: changed!, events };
  }

  /** INVALID_STATE if the input changes after a worker has had the task, or if anything changes on a finished task. */
  private demandEditable(task: T, hasInput: boolean, hasOwn: boolean): void {
    const { lifeCycle } = this.queue;
    if (hasInput && !lifeCycle.isUntouched(task)) {
      const msg = 'input and args cannot change once a worker has had the task; create a new task';
      throw refusal(lifeCycle, task, 'user', msg);
    }
    if (hasOwn && lifeCycle.isFinal(task.status))
      throw refusal(lifeCycle, task, 'user', 'a finished task cannot change; create a new task');
  }

  /** The transition to this status. undefined if the task has it already. */
  private *moveOf(task: T, status: number, limits: OwnerQuotas, isForeign: boolean): Script<Transition | undefined> {
    const { queue } = this;
    const { lifeCycle } = queue;
    const verdict = lifeCycle.userMove(task.status, status);
    if (verdict === 'refuse') throw refusal(lifeCycle, task, 'user');
    if (verdict === 'stay') return undefined;
    const rules = queue.rulesOf(task.service);
    if (lifeCycle.isEnded(status)) return cancelled(task, rules);
    if (!lifeCycle.isEnded(task.status)) return madeReady(task, rules);
    const refused =
      (yield* Quotas.lock(queue, limits)).take(new Map([[task.userId, 1]])) ??
      (yield* queue.hooks.refuseRunAgain(task.taskId)) ??
      (yield* takeAgain(queue, { ...task, id: task.taskId }, { isForeign }));
    if (refused) throw refused;
    return runAgain(task, rules);
  }

  /** The quota of the task's owner. */
  private async quotasOf(taskId: string, { userId }: AsOwner): Promise<OwnerQuotas> {
    const { settings } = this.queue;
    if (settings.maxActiveTasks === undefined) return new Map();
    return quotasOf(settings, [userId ?? (await read(this.queue, taskId)).userId]);
  }
}
