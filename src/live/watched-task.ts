import type { Task } from '../contract/task.entity.js';
import { shown } from './shown.js';
import { fingerprint, stateOf, type TaskState } from './state.js';

/** Milliseconds between two events of a task. Its end does not wait. */
const SPACING = 500;

/** What a watch begins with: the entity, or the row without its texts. */
export interface WatchedRow extends TaskState {
  taskId: string;
  userId: string;
  service: string;
  group: string | null;
  batchId: string | null;
  createdAt: Date | null;
}

/** A stream, as a watched task knows it. */
export interface Watcher {
  /** The task has a new state. `json` is the task as users see it. */
  changed(task: WatchedTask, state: string, json: string): void;
  removed(taskId: string): void;
}

/**
 * A task that streams watch. It tells them each new state at once, but at most two a second: of those in between only
 * the newest is told. An end is told without a delay.
 */
export class WatchedTask {
  readonly taskId: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly watchers = new Set<Watcher>();
  /** The newest state that this process knows. */
  state: string;
  hasEnded: boolean;
  /** Counts the changes, for a read that began before the last of them. */
  changes = 0;
  private updatedAt: number;
  /** Of what was told last. */
  private print: number | undefined;
  private next: Task | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    row: WatchedRow,
    private readonly isEnded: (status: number) => boolean,
  ) {
    this.taskId = row.taskId;
    this.createdAt = row.createdAt?.getTime() ?? 0;
    this.state = stateOf(row);
    this.hasEnded = isEnded(row.status);
    this.updatedAt = row.updatedAt?.getTime() ?? 0;
  }

  /** Whether a commit of this process is older than what is known: two connections may answer in another order. */
  isPast({ updatedAt }: TaskState): boolean {
    return updatedAt !== null && updatedAt.getTime() < this.updatedAt;
  }

  change(task: Task): void {
    this.changes++;
    this.state = stateOf(task);
    this.hasEnded = this.isEnded(task.status);
    this.updatedAt = task.updatedAt?.getTime() ?? 0;
    if (this.timer && !this.hasEnded) this.next = task;
    else this.tell(task);
  }

  /** Holds the next event back for a moment, because a stream has just sent the task. */
  rest(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.next) this.tell(this.next);
    }, SPACING).unref();
  }

  remove(): void {
    for (const watcher of this.watchers) watcher.removed(this.taskId);
  }

  /** Nobody watches it any more. */
  drop(): void {
    clearTimeout(this.timer);
    this.next = undefined;
  }

  private tell(task: Task): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.next = undefined;
    const json = shown(task);
    // A report that is sent again changes nothing.
    const print = json === undefined ? this.print : fingerprint(json);
    if (json === undefined || print === this.print) return;
    this.print = print;
    for (const watcher of this.watchers) watcher.changed(this, stateOf(task), json);
    this.rest();
  }
}
