import type { LiveStream } from './live-stream.js';
import { WatchedTask, type WatchedRow } from './watched-task.js';

/** Everything that the open streams of this process watch. */
export class WatchList {
  private readonly tasks = new Map<string, WatchedTask>();
  /** Streams that also show new tasks, by owner. */
  private readonly takers = new Map<string, Set<LiveStream>>();

  constructor(private readonly isEnded: (status: number) => boolean) {}

  get size(): number {
    return this.tasks.size;
  }

  get owners(): string[] {
    return [...this.takers.keys()];
  }

  get(taskId: string): WatchedTask | undefined {
    return this.tasks.get(taskId);
  }

  /** The stream watches the task from now on. */
  add(row: WatchedRow, stream: LiveStream): void {
    let task = this.tasks.get(row.taskId);
    if (!task) this.tasks.set(row.taskId, (task = new WatchedTask(row, this.isEnded)));
    task.watchers.add(stream);
    const left = stream.take(task);
    if (left) this.forget(left, stream);
  }

  /** The stream also shows tasks that its owner creates. */
  addTaker(owner: string, stream: LiveStream): void {
    const streams = this.takers.get(owner) ?? new Set();
    this.takers.set(owner, streams.add(stream));
  }

  /** The streams that show this task, and do not watch it yet. */
  takersOf(row: WatchedRow): LiveStream[] {
    const streams = this.takers.get(row.userId);
    return streams ? [...streams].filter((stream) => stream.takes(row)) : [];
  }

  /** The task is deleted. */
  remove(taskId: string): void {
    const task = this.tasks.get(taskId);
    if (!task) return;
    this.tasks.delete(taskId);
    task.drop();
    task.remove();
  }

  forget(task: WatchedTask, stream: LiveStream): void {
    task.watchers.delete(stream);
    if (task.watchers.size > 0 || this.tasks.get(task.taskId) !== task) return;
    this.tasks.delete(task.taskId);
    task.drop();
  }

  /** The stream has ended. */
  leave(owner: string, stream: LiveStream): void {
    for (const task of stream.watched.values()) this.forget(task, stream);
    const streams = this.takers.get(owner);
    if (streams?.delete(stream) && streams.size === 0) this.takers.delete(owner);
  }

  /** The tasks to look at now: those that have not ended come first. If there are more than `most`, they take turns. */
  pick(most: number): WatchedTask[] {
    const all = [...this.tasks.values()];
    if (all.length <= most) return all;
    const picked = [...all.filter(({ hasEnded }) => !hasEnded), ...all.filter(({ hasEnded }) => hasEnded)];
    picked.length = most;
    for (const task of picked) {
      this.tasks.delete(task.taskId);
      this.tasks.set(task.taskId, task);
    }
    return picked;
  }
}
