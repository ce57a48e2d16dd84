import type { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import type { Script } from '../database/transaction.js';
import type { WaitReason } from '../protocol/wire.types.js';
import type { AttemptEnd, QueueEvent, QueueEventType } from './events.js';
import type { NewRow, TaskState } from './stores/task.store.js';

/** `any`: a service of a host's entity must be assignable to one of `Task`. */
type AnyEvent = QueueEvent<any>;

/** Runs in the transaction that changed the status of these tasks, after the rows are written. */
export type InTransactionHook = (events: readonly AnyEvent[]) => Script<void>;

/** Called after the commit, in the process that committed. It must not throw. */
export type AfterCommitHook = (event: AnyEvent) => void;

/** Called after the commit with a task that has changed without an event: its fields, or its lease. */
export type AfterEditHook = (task: Task) => void;

/** Called after the commit with the ids of tasks that users have deleted. */
export type AfterRemovalHook = (taskIds: readonly string[]) => void;

/** Runs in the transaction that deletes these tasks, before it does. Retention deletes without it. */
export type BeforeRemovalHook = (tasks: readonly TaskState[]) => Script<void>;

/** Called after each look of a claim for tasks, with the milliseconds that the database and the queue before it took. */
export type AfterLookHook = (milliseconds: number) => void;

/** How a poll ended: with tasks, without, or without because of a pause or a limit. */
export type PollOutcome = 'claimed' | 'empty' | WaitReason;

/** Called after each claim that was answered. `milliseconds`: from its arrival, its wait for tasks included. */
export type AfterPollHook = (service: string | undefined, outcome: PollOutcome, milliseconds: number) => void;

/** Checks a task before it is created, and completes its row. Throws a TaskError if the task may not be created. */
export type BeforeCreateHook = (row: NewRow) => Promise<void> | undefined;

/** Runs before an ended task runs again. Returns the reason if the task may not. */
export type BeforeRunAgainHook = (taskId: string) => Script<TaskError | undefined>;

/**
 * Functions that run when a task changes. A capability adds its hooks when the queue opens. The queue calls them in
 * that order and knows no capability by name.
 */
export class Hooks {
  readonly beforeCreate: BeforeCreateHook[] = [];
  readonly beforeRunAgain: BeforeRunAgainHook[] = [];
  readonly inTransaction: InTransactionHook[] = [];
  readonly beforeRemoval: BeforeRemovalHook[] = [];
  readonly afterCommit: AfterCommitHook[] = [];
  readonly afterEdit: AfterEditHook[] = [];
  readonly afterRemoval: AfterRemovalHook[] = [];
  readonly afterLook: AfterLookHook[] = [];
  readonly afterPoll: AfterPollHook[] = [];

  /** Called by the script that changed these statuses. */
  *changed(events: readonly AnyEvent[]): Script<void> {
    if (events.length > 0) for (const hook of this.inTransaction) yield* hook(events);
  }

  /** Called by the script that deletes these tasks, which it has locked. */
  *removing(tasks: readonly TaskState[]): Script<void> {
    if (tasks.length > 0) for (const hook of this.beforeRemoval) yield* hook(tasks);
  }

  /** Called once the transaction has committed. */
  committed(events: Iterable<AnyEvent>): void {
    for (const event of events) for (const hook of this.afterCommit) hook(event);
  }

  edited(task: Task): void {
    for (const hook of this.afterEdit) hook(task);
  }

  removed(taskIds: readonly string[]): void {
    for (const hook of this.afterRemoval) hook(taskIds);
  }

  looked(milliseconds: number): void {
    for (const hook of this.afterLook) hook(milliseconds);
  }

  polled(service: string | undefined, outcome: PollOutcome, milliseconds: number): void {
    for (const hook of this.afterPoll) hook(service, outcome, milliseconds);
  }

  /** The reason why an ended task may not run again. */
  *refuseRunAgain(taskId: string): Script<TaskError | undefined> {
    for (const hook of this.beforeRunAgain) {
      const refusal = yield* hook(taskId);
      if (refusal) return refusal;
    }
    return undefined;
  }
}

/** The same event for each of these tasks. */
export const eventsOf = <T extends Task>(
  type: QueueEventType,
  tasks: readonly T[],
  attempt?: AttemptEnd,
): QueueEvent<T>[] => tasks.map((task) => ({ type, task, attempt }));
