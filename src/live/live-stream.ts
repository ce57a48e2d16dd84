import type { Task } from '../contract/task.entity.js';
import { type AnswerSpace, ANSWERS, type Receiver } from '../queue/answer-room.js';
import type { LiveFilter } from './live.store.js';
import { shown } from './shown.js';
import { Known, stateOf } from './state.js';
import type { WatchedRow, WatchedTask, Watcher } from './watched-task.js';

/** The client of a stream: what is used of Node's response. */
export interface StreamReceiver extends Receiver {
  readonly writableLength?: number;
  write(text: string): boolean;
  end(): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
}

/** What a stream asks of its room. */
export interface StreamSource {
  /** These tasks, whole. Deleted ones are left out. */
  read(ids: string[]): Promise<Map<string, Task>>;
  forget(task: WatchedTask, stream: LiveStream): void;
}

export interface StreamStart {
  rows: WatchedRow[];
  /** Ids that the client named, and that are no tasks of the owner. */
  missing: string[];
  /** The owner has more such tasks than a stream watches. */
  hasMore: boolean;
  /** The last event that the client has seen. */
  lastEventId: string | undefined;
}

/** The most tasks that one stream watches: then the one without a change for the longest time is left out. */
export const MOST_TASKS = 1000;
/** Tasks that are read at once for a snapshot. */
const BATCH = 16;
/** Bytes that may wait for a client. Then it gets the newest state of each task once it has read them. */
const BUFFER = 32 * 1024;
/** Milliseconds that a client may leave everything unread. */
const PATIENCE = 15_000;
/** Milliseconds until a failed read is repeated, and until a client may have closed an ended stream. */
const PAUSE = { read: 1000, end: 5000 } as const;

/** One open stream: sends the snapshot, then each change, as fast as the client reads. */
export class LiveStream implements Watcher {
  /** By id, the one without a change for the longest time first. */
  readonly watched = new Map<string, WatchedTask>();
  /** Tasks created before this time are not new to it, in milliseconds since 1970. */
  floor = 0;
  private readonly known = new Known();
  /** Tasks whose newest state must be read for the client. */
  private readonly todo = new Set<string>();
  /** Those of them that have changed again since they are being read. */
  private readonly again = new Set<string>();
  private count = 0;
  private blockedAt: number | undefined;
  private isPumping = false;
  private isOver = false;
  private synced: { resumed: boolean; more: boolean } | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly receiver: StreamReceiver,
    private readonly filter: LiveFilter,
    private readonly source: StreamSource,
    private readonly space: AnswerSpace,
  ) {}

  /** Its room has let it watch the rows. */
  start({ rows, missing, hasMore, lastEventId = '' }: StreamStart): void {
    const [, count = '0', sum] = /^(\d{1,15})-([\da-f]{1,12})$/.exec(lastEventId) ?? [];
    this.count = Number(count);
    for (const row of rows) this.known.set(row.taskId, stateOf(row));
    const resumed = this.known.sum === sum;
    this.synced = { resumed, more: hasMore };
    // Clients whose server has gone do not return together.
    this.write(`retry: ${Math.round(1000 + Math.random() * 2000)}\n\n`);
    if (!resumed) {
      for (const { taskId } of rows) {
        this.known.delete(taskId);
        this.todo.add(taskId);
      }
      for (const taskId of missing) this.send('removed', { taskId });
    }
    void this.pump();
  }

  takes({ taskId, service, group, batchId }: WatchedRow): boolean {
    const { filter } = this;
    return (
      !this.watched.has(taskId) &&
      (filter.service === undefined || filter.service === service) &&
      (filter.group === undefined || filter.group === group) &&
      (filter.batchId === undefined || filter.batchId === batchId)
    );
  }

  /** Watches one more. Returns the one that it watches no longer. */
  take(task: WatchedTask): WatchedTask | undefined {
    this.watched.set(task.taskId, task);
    if (this.watched.size <= MOST_TASKS) return undefined;
    const [first] = this.watched.values();
    this.floor = Math.max(this.floor, first!.createdAt);
    this.lose(first!.taskId);
    return first;
  }

  changed(task: WatchedTask, state: string, json: string): void {
    const { taskId } = task;
    this.watched.delete(taskId);
    this.watched.set(taskId, task);
    if (this.blockedAt !== undefined) this.todo.add(taskId);
    if (this.todo.has(taskId)) this.again.add(taskId);
    else this.show(taskId, state, json);
  }

  removed(taskId: string): void {
    this.lose(taskId);
    if (!this.isOver) this.send('removed', { taskId });
  }

  /** Shows proxies and the client that the stream lives, and lets go of a client that reads nothing. */
  beat(): void {
    if (this.blockedAt === undefined) this.write(':\n\n');
    else if (performance.now() - this.blockedAt > PATIENCE) this.receiver.destroy();
  }

  end(): void {
    this.close();
    this.receiver.end();
    const { receiver } = this;
    const timer = setTimeout(() => receiver.destroy(), PAUSE.end).unref();
    receiver.once('close', () => clearTimeout(timer));
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  private lose(taskId: string): void {
    this.watched.delete(taskId);
    this.known.delete(taskId);
    this.todo.delete(taskId);
  }

  private show(taskId: string, state: string, json: string): void {
    if (this.isOver) return;
    const bytes = Buffer.byteLength(json);
    if (bytes > ANSWERS.small) {
      if (this.space.hold(this, bytes) !== undefined) {
        this.todo.add(taskId);
        this.pumpLater();
        return;
      }
      this.space.send(bytes);
    }
    this.known.set(taskId, state);
    this.watched.get(taskId)?.rest();
    this.send('task', json);
    if (this.blockedAt === undefined) this.space.clear();
  }

  private send(event: string, data: string | object): void {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.write(`event: ${event}\nid: ${++this.count}-${this.known.sum}\ndata: ${text}\n\n`);
  }

  private write(text: string): void {
    const isRead = this.receiver.write(text);
    if (isRead || this.blockedAt !== undefined) return;
    if (text.length < BUFFER && (this.receiver.writableLength ?? Infinity) < BUFFER) return;
    this.blockedAt = performance.now();
    this.receiver.once('drain', () => {
      this.blockedAt = undefined;
      this.space.clear();
      void this.pump();
    });
  }

  /** Reads and sends what the client must still get, until it no longer reads, or has all of it. */
  private async pump(): Promise<void> {
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      while (this.isReady && this.todo.size > 0 && !this.timer) await this.sendSome();
    } catch {
      // The database is away: the room's poller logs it.
      this.pumpLater();
    }
    this.isPumping = false;
    if (this.isReady && this.todo.size === 0 && this.synced) {
      this.send('synced', { ...this.synced, tasks: this.known.size });
      this.synced = undefined;
    }
  }

  private get isReady(): boolean {
    return !this.isOver && this.blockedAt === undefined;
  }

  private pumpLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.pump();
    }, PAUSE.read).unref();
  }

  private async sendSome(): Promise<void> {
    const ids = [...this.todo].slice(0, BATCH);
    this.again.clear();
    const tasks = await this.source.read(ids);
    for (const taskId of ids) {
      if (!this.isReady) return;
      const watched = this.watched.get(taskId);
      if (!this.todo.has(taskId) || !watched) continue;
      const task = tasks.get(taskId);
      if (!this.again.has(taskId)) this.todo.delete(taskId);
      if (!task) {
        this.source.forget(watched, this);
        this.removed(taskId);
        continue;
      }
      const json = shown(task);
      if (json !== undefined) this.show(taskId, stateOf(task), json);
    }
  }
}
