import { Logger } from '@nestjs/common';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import type { Job } from '../polling/poller.js';
import type { QueueEvent } from '../queue/events.js';
import { eventsOf } from '../queue/hooks.js';
import { newToken } from '../queue/lease-token.js';
import type { Queue } from '../queue/queue.js';
import type { DueRow } from '../queue/stores/due.store.js';
import { claimedBySql, due, expired, leaseDropped, type Transition } from '../queue/transitions.js';
import { OutageWatch } from './outage-watch.js';

/** Rows that one transaction moves. */
const ROWS = 200;

/** Rows that change in the same way. */
interface Group extends Transition {
  ids: string[];
}

/**
 * Moves tasks that are due: waiting tasks to BEGIN, tasks whose lease has run out to BEGIN or ERROR. Runs in every
 * process. Rows that another process is moving are skipped.
 */
export class MoveDue<T extends Task> implements Job {
  readonly name = 'moving tasks whose time has come';
  /** A lease ends, and a task becomes ready, at most 1 s and one look late. */
  readonly interval = { shortest: 1000, longest: 1000 };
  private readonly logger = new Logger('TaskModule');
  private readonly watch = new OutageWatch();
  private isFirst = true;

  constructor(private readonly queue: Queue<T>) {}

  async run(isOver: () => boolean): Promise<boolean> {
    // SQLite's clock is the machine's, and may have been set back while no process ran.
    if (this.isFirst && this.queue.database.oneWriter) await this.shortenLeases(isOver);
    this.isFirst = false;
    return this.moveDue(() => this.watch.look(), isOver);
  }

  /** Moves them once, without the grace that leases have after an outage. */
  async runNow(): Promise<void> {
    await this.moveDue(
      () => Infinity,
      () => false,
    );
  }

  /** `watched` returns the seconds for which leases were watched without a break. */
  private async moveDue(watched: () => number, isOver: () => boolean): Promise<boolean> {
    const { queue } = this;
    let hasMoved = false;
    while (!isOver()) {
      const seconds = watched();
      const { ids, now, isAll } = await reading(queue.database, () => queue.due.ids(ROWS, seconds));
      const clock = this.watch.looked(now);
      if (clock === 'back') await this.shortenLeases(isOver);
      // If the clock was set forwards, what this look found has its grace, too.
      if (clock === 'forwards' && seconds !== Infinity) break;
      if (ids.length === 0) break;
      const { moved, events } = await this.moveAll(ids);
      queue.hooks.committed(events);
      hasMoved ||= moved > 0;
      // The rows that were not moved are being moved by other processes.
      if (isAll || moved === 0) break;
    }
    return hasMoved;
  }

  /** Otherwise they would last longer by as much as the clock was set back. */
  private async shortenLeases(isOver: () => boolean): Promise<void> {
    const { database, due: store } = this.queue;
    let shortened: number;
    do shortened = await transaction(database, () => store.shorten(ROWS));
    while (shortened === ROWS && !isOver());
  }

  /**
   * All in one transaction. If a row fails, each half runs separately, so that one bad row does not hold up the others.
   */
  private async moveAll(ids: string[]): Promise<TransitionResult<T>> {
    try {
      return await transaction(this.queue.database, () => this.move(ids));
    } catch (error) {
      if (error instanceof TaskError) throw error;
      if (ids.length === 1) {
        this.logger.error(`task ${ids[0]} cannot be moved: ${(error as Error).message}`);
        return { moved: 0, events: [] };
      }
      const middle = Math.ceil(ids.length / 2);
      const halves = [await this.moveAll(ids.slice(0, middle)), await this.moveAll(ids.slice(middle))];
      return { moved: halves[0]!.moved + halves[1]!.moved, events: halves.flatMap(({ events }) => events) };
    }
  }

  private *move(ids: string[]): Script<TransitionResult<T>> {
    const { due: store, tasks, hooks } = this.queue;
    let moved = 0;
    const events: QueueEvent<T>[] = [];
    for (const { ids: group, values, event, attempt } of this.groups(yield* store.lock(ids))) {
      const changed = yield* tasks.update(group, values);
      moved += changed.length;
      if (event) events.push(...eventsOf(event, changed, attempt));
    }
    yield* hooks.changed(events);
    return { moved, events };
  }

  /** Each group is one UPDATE. */
  private groups(rows: DueRow[]): Group[] {
    const tokens = { legacy: newToken(true), fenced: newToken() };
    const groups = new Map<string, Group>();
    for (const row of rows) {
      const transition = this.transitionOf(row, tokens);
      const key = JSON.stringify(transition);
      const group = groups.get(key);
      if (group) group.ids.push(row.id);
      else groups.set(key, { ...transition, ids: [row.id] });
    }
    return [...groups.values()];
  }

  private transitionOf(row: DueRow, tokens: { legacy: string; fenced: string }): Transition {
    const { lifeCycle, rulesOf } = this.queue;
    const { WAITING, START } = lifeCycle.status;
    const rules = rulesOf(row.service);
    if (row.status === WAITING) return due(row, rules);
    if (!lifeCycle.isHeld(row.status)) return leaseDropped();
    if (row.status === START && !row.hasLease) return claimedBySql(row, { token: tokens.legacy }, rules);
    return expired(row, { token: tokens.fenced }, rules);
  }
}

/** How many rows were moved, and the events for the hooks. */
interface TransitionResult<T extends Task> {
  moved: number;
  events: QueueEvent<T>[];
}
