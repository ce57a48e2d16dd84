import { randomUUID } from 'node:crypto';
import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import { type Job, Poller, type Service } from '../polling/poller.js';
import type { Queue } from '../queue/queue.js';
import { changeMany, statusesFor } from '../queue/use-cases/change-many.js';
import { filterOf, firstWindow, nextWindow } from '../queue/use-cases/search.js';
import { BulkLost, type BulkStore, type TakenBulk } from './bulk.store.js';

/** Tasks of one transaction: it locks few rows at once, and claims and reports come in between. */
const CHUNK = 100;
/** Seconds that ended bulks are kept: 7 days. */
const KEEP = 7 * 86_400;

/**
 * Works off bulks, one at a time, by one process at a time. Each transaction changes some tasks and moves the bulk on,
 * so that after kill -9 another process continues exactly there.
 */
export class BulkRunner<T extends Task> implements Job, Service {
  readonly name = 'working off bulk changes';
  readonly interval = { shortest: 200, longest: 5000 };
  private readonly poller = new Poller(this);

  constructor(
    private readonly queue: Queue<T>,
    private readonly store: BulkStore,
    /** Looks for bulks that other processes left behind, as long as the queue runs. Otherwise only while one is open. */
    private readonly isWatching: boolean,
  ) {}

  start(): void {
    this.poller.start();
  }

  /** There may be a bulk to work off. */
  wake(): void {
    this.poller.start();
    this.poller.wake();
  }

  stop(): Promise<void> {
    return this.poller.stop();
  }

  async run(isOver: () => boolean): Promise<boolean> {
    const { database } = this.queue;
    const bulk = await transaction(database, () => this.store.take(randomUUID()));
    if (bulk) await this.workOff(bulk, isOver);
    else if (!this.isWatching && !(await reading(database, () => this.store.hasOpen()))) this.poller.rest();
    return bulk !== undefined;
  }

  private async workOff(bulk: TakenBulk, isOver: () => boolean): Promise<void> {
    const { database } = this.queue;
    try {
      let position = bulk.position;
      let rows = firstWindow(CHUNK);
      while (!isOver()) {
        const { next, isFull } = await this.chunk(bulk, position, rows);
        if (next === undefined) {
          await transaction(database, () => this.store.purge(KEEP, 1000));
          return;
        }
        position = next;
        rows = nextWindow(rows, isFull);
      }
      await transaction(database, () => this.store.release(bulk));
    } catch (error) {
      if (!(error instanceof BulkLost)) throw error;
    }
  }

  /** Changes the next tasks within this number of rows. `next` is the position after them, or undefined at the end. */
  private async chunk(
    bulk: TakenBulk,
    position: TakenBulk['position'],
    rows: number,
  ): Promise<{ next: TakenBulk['position']; isFull: boolean }> {
    const { queue, store } = this;
    const { action, userId, lastId } = bulk;
    const filter = {
      ...filterOf(bulk.filter),
      ...statusesFor(action, queue.lifeCycle),
      ...(userId === null ? {} : { userId }),
    };
    const window = await reading(queue.database, () =>
      queue.search.window({ ...filter, lastId }, position, rows, CHUNK),
    );
    const ids = window.found.map(({ taskId }) => taskId);
    const next = window.isFull ? window.found.at(-1) : window.end;
    await changeMany(queue, ids, { action, userId: userId ?? undefined }, (result) =>
      store.advance(bulk, next, result),
    );
    return { next, isFull: window.isFull };
  }
}
