import type { Task } from '../protocol/wire.types.js';
import { TaskApiError } from './errors.js';
import { pause } from './pause.js';
import type { WatchEvent } from './watch.js';

/** Opens a stream of these tasks. */
type Open = (ids: string[], signal: AbortSignal) => AsyncIterable<WatchEvent>;

/** The most tasks of the stream. The others are asked for at intervals. */
const MOST = 200;
/** Milliseconds between two looks while the stream covers the task: it could miss something only by a mistake. */
const COVERED = 30_000;
/** Milliseconds until a stream with more tasks replaces the current one: calls often come together. */
const GATHER = 50;

/** HTTP statuses by which guards refuse. */
const GUARDS = [401, 403, 430];

/** Tells waiting calls when their task may have ended: one stream for all of them, because browsers allow few. */
export class EndWatch {
  /** By task: what wakes the calls that wait for it. */
  private readonly calls = new Map<string, Set<() => void>>();
  /** Tasks that the current stream has shown. */
  private covered = new Set<string>();
  private watched = new Set<string>();
  private stream: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The server has no such route, or this platform no streams. */
  private isOff = false;

  constructor(
    private readonly ends: readonly number[],
    private readonly open: Open,
  ) {}

  hasEnded({ status }: Task): boolean {
    return this.ends.includes(status);
  }

  /** Waits until the task may have ended: `rest` ms, or up to `left` if the stream covers it. */
  async wait(taskId: string, rest: number, left: number, signal?: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    const calls = this.calls.get(taskId) ?? new Set();
    this.calls.set(taskId, calls.add(wake));
    signal?.addEventListener('abort', wake);
    this.follow();
    try {
      await pause(rest, woken.signal);
      if (this.covered.has(taskId)) await pause(Math.min(COVERED, left) - rest, woken.signal);
    } finally {
      signal?.removeEventListener('abort', wake);
      calls.delete(wake);
      if (calls.size === 0) this.calls.delete(taskId);
      this.follow();
    }
  }

  /** Opens a stream if there are tasks that the current one does not watch, and ends it once nobody waits. */
  private follow(): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const ids = [...this.calls.keys()].slice(0, MOST);
      if (ids.length > 0 && (this.isOff || ids.every((id) => this.watched.has(id)))) return;
      this.stream?.abort();
      this.stream = undefined;
      this.covered = new Set();
      this.watched = new Set(ids);
      if (ids.length > 0) void this.read(ids, (this.stream = new AbortController()));
    }, GATHER);
  }

  private async read(ids: string[], stream: AbortController): Promise<void> {
    const { covered } = this;
    try {
      for await (const change of this.open(ids, stream.signal)) {
        const taskId = change.event === 'task' ? change.task.taskId : change.taskId;
        covered.add(taskId);
        if (change.event === 'removed' || this.hasEnded(change.task)) this.wake(taskId);
      }
    } catch (error) {
      covered.clear();
      if (this.stream !== stream) return;
      this.watched.clear();
      // Another token may do.
      this.isOff = !(error instanceof TaskApiError && GUARDS.includes(error.httpStatus));
    }
  }

  private wake(taskId: string): void {
    for (const wake of this.calls.get(taskId) ?? []) wake();
  }
}
