import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading } from '../database/database.js';
import { Poller, type Service } from '../polling/poller.js';
import type { Queue } from '../queue/queue.js';
import { isIdLike } from '../validation/rules.js';
import { ChangeLook } from './change-look.js';
import type { LiveValues } from './live.options.js';
import type { LiveStore } from './live.store.js';
import { LiveStream, MOST_TASKS, type StreamReceiver, type StreamStart } from './live-stream.js';
import { StreamPlaces } from './stream-places.js';
import { type Opening, Subscription, type WatchOptions } from './subscription.js';
import { Turns } from './turns.js';
import { WatchList } from './watch-list.js';

/** The most tasks that all streams of a process watch. */
const MOST_WATCHED = 100_000;
/** Milliseconds between two heartbeats. */
const HEARTBEAT = 15_000;
/** The most milliseconds that a stream stays open: then the client's guards decide again. */
const LONGEST = 3_600_000;
/** Reads of snapshots that run at once. */
const READS = 4;

/**
 * The event streams of this process. What it commits itself is sent at once. What others commit is found by one look
 * for all streams together. Without a stream there is neither a look nor a timer.
 */
export class LiveRoom<T extends Task = Task> implements Service {
  private readonly streams = new Set<LiveStream>();
  private readonly list: WatchList;
  private readonly places: StreamPlaces;
  private readonly turns = new Turns(READS);
  private readonly look: ChangeLook;
  private readonly poller: Poller;
  private heartbeat: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly queue: Queue<T>,
    private readonly store: LiveStore,
    options: LiveValues,
  ) {
    this.list = new WatchList((status) => queue.lifeCycle.isEnded(status));
    this.places = new StreamPlaces(options);
    this.look = new ChangeLook(this.list, {
      look: (...asked) => reading(queue.database, () => store.look(...asked)),
      read: (ids) => this.read(ids),
      show: (task) => this.show(task),
    });
    this.poller = new Poller(this.look);
    queue.hooks.afterCommit.push(({ task }) => this.committed(task));
    queue.hooks.afterEdit.push((task) => this.committed(task));
    queue.hooks.afterRemoval.push((ids) => this.removed(ids));
  }

  /** How many streams are open, and how many tasks they watch. */
  get size(): { streams: number; tasks: number } {
    return { streams: this.streams.size, tasks: this.list.size };
  }

  /** What one client wants to watch, to be opened by the answer to its request. INVALID_PARAM. */
  subscribe(options: WatchOptions): Subscription {
    return new Subscription(this, options);
  }

  /**
   * Opens a stream. `head` is called once it can send: before that, an error can still be answered. TOO_MANY_REQUESTS
   * if too many streams are open. UNAVAILABLE if the process stops, or if the database is away.
   */
  async open(
    { userId, filter, lastEventId }: Subscription,
    receiver: StreamReceiver,
    { space, expiresAt = Infinity, head }: Opening,
  ): Promise<void> {
    if (this.isClosed) throw new TaskError('UNAVAILABLE', { msg: 'the process is stopping; connect again' });
    const giveBack = this.places.take(userId);
    receiver.once('close', giveBack);
    let found: Omit<StreamStart, 'lastEventId'>;
    try {
      found = await this.turns.take(() => this.find(userId, filter));
      if (this.list.size + found.rows.length > MOST_WATCHED)
        throw new TaskError('TOO_MANY_REQUESTS', { msg: 'the event streams of this process watch too many tasks' });
    } catch (error) {
      giveBack();
      throw error;
    }
    if (receiver.destroyed || receiver.stream?.destroyed) return giveBack();
    head();
    const stream = new LiveStream(
      receiver,
      filter,
      { read: (ids) => this.turns.take(() => this.read(ids)), forget: (...args) => this.list.forget(...args) },
      space,
    );
    const timer = setTimeout(() => leave(() => stream.end()), lifetime(expiresAt)).unref();
    const leave = (then: () => void): void => {
      clearTimeout(timer);
      giveBack();
      this.leave(userId, stream);
      then();
    };
    receiver.once('close', () => leave(() => stream.close()));
    this.enter(userId, stream, found.rows, filter.ids === undefined);
    stream.start({ ...found, lastEventId });
    if (this.isClosed) stream.end();
  }

  /** Ends every stream. The clients connect again, to another process. */
  drain(): void {
    this.isClosed = true;
    this.poller.rest();
    for (const stream of this.streams) stream.end();
  }

  stop(): Promise<void> {
    this.drain();
    return this.poller.stop();
  }

  /** A commit of this process. */
  private committed(task: Task): void {
    if (this.streams.size === 0) return;
    if (!this.list.get(task.taskId)?.isPast(task)) this.show(task);
  }

  private removed(ids: readonly string[]): void {
    if (this.streams.size > 0) for (const id of ids) this.list.remove(id);
  }

  private show(task: Task): void {
    for (const stream of this.list.takersOf(task)) this.list.add(task, stream);
    this.list.get(task.taskId)?.change(task);
  }

  private async find(userId: string, filter: Subscription['filter']): Promise<Omit<StreamStart, 'lastEventId'>> {
    const { database } = this.queue;
    const { ids } = filter;
    if (!ids) {
      const rows = await reading(database, () => this.store.newest(userId, filter, MOST_TASKS + 1));
      return { rows: rows.slice(0, MOST_TASKS), missing: [], hasMore: rows.length > MOST_TASKS };
    }
    const asked = [...new Set(ids)];
    const rows = await reading(database, () => this.store.named(userId, asked.filter(isIdLike)));
    const found = new Set(rows.map(({ taskId }) => taskId));
    return { rows, missing: asked.filter((id) => !found.has(id)), hasMore: false };
  }

  private async read(ids: string[]): Promise<Map<string, Task>> {
    const tasks = await reading(this.queue.database, () => this.queue.tasks.findAll(ids));
    return new Map(tasks.map((task) => [task.taskId, task]));
  }

  private enter(owner: string, stream: LiveStream, rows: StreamStart['rows'], takesNew: boolean): void {
    if (this.streams.size === 0) {
      this.look.begin();
      this.poller.start();
      this.heartbeat = setInterval(() => this.streams.forEach((each) => each.beat()), HEARTBEAT).unref();
    }
    this.streams.add(stream);
    // The oldest is the first to be left out.
    for (const row of rows.toReversed()) this.list.add(row, stream);
    if (takesNew) this.list.addTaker(owner, stream);
  }

  private leave(owner: string, stream: LiveStream): void {
    if (!this.streams.delete(stream)) return;
    this.list.leave(owner, stream);
    if (this.streams.size > 0) return;
    this.poller.rest();
    clearInterval(this.heartbeat);
  }
}

/** Milliseconds that a stream may stay open. Spread, so that streams which began together do not end together. */
const lifetime = (expiresAt: number): number =>
  Math.max(0, Math.min(expiresAt - Date.now(), LONGEST * (0.9 + Math.random() * 0.1)));
