import { Logger } from '@nestjs/common';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { NOW } from '../store/clock.js';
import { reading, transaction } from '../store/database.js';
import type { DueRow } from '../store/due.store.js';
import type { Script } from '../store/transaction.js';
import type { TaskEventType } from './events.js';
import { isFenced, newToken } from './lease.js';
import type { Queue } from './queue.js';

/** Milliseconds between two looks: a lease lapses, and a task is due, at most this and a look later. */
const PAUSE = { shortest: 500, longest: 1000 } as const;
/** Rows that one transaction moves. */
const BATCH = 200;
/** Keys, or callbacks, that one look forgets, and milliseconds to the next look once all that ran out are gone. */
const PURGE = { rows: 1000, pause: 60_000 } as const;
/** Rows that one look for forgettable tasks passes, and milliseconds to rest at the end of the table. */
const WALK = { rows: 500, rest: 60_000 } as const;

/** A group of rows that become the same. */
interface Move {
  ids: string[];
  values: Record<string, unknown>;
  event?: TaskEventType;
}

/** What became of some of them. */
interface Moved<T extends Task> {
  event: TaskEventType | undefined;
  tasks: T[];
}

/**
 * Moves tasks whose time has come: due ones to BEGIN, lapsed ones to BEGIN or ERROR; and forgets what is over. Runs in
 * every process; rows that another one is moving are passed over.
 */
export class Sweeper<T extends Task> {
  private readonly logger = new Logger('TaskModule');
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> = Promise.resolve();
  private stopped = false;
  private failing = false;
  private nextPurge = 0;
  private nextCallbackPurge = 0;
  private nextWalk = 0;
  private walkedTo = '';

  constructor(private readonly queue: Queue<T>) {}

  start(): void {
    this.timer = setTimeout(
      () => {
        this.current = this.look().then(() => {
          if (!this.stopped) this.start();
        });
      },
      PAUSE.shortest + Math.random() * (PAUSE.longest - PAUSE.shortest),
    );
    this.timer.unref();
  }

  /** Ends after the transaction under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.current;
  }

  /** One look. */
  async sweep(): Promise<void> {
    await this.moveDue();
    await this.purgeKeys();
    await this.purgeCallbacks();
    await this.forgetEnded();
  }

  private async look(): Promise<void> {
    try {
      await this.sweep();
      this.failing = false;
    } catch (error) {
      // A database that is away is away for many looks: said once.
      if (!this.failing) this.logger.warn(`the sweeper failed, and goes on trying: ${(error as Error).message}`);
      this.failing = true;
    }
  }

  private async moveDue(): Promise<void> {
    const { queue } = this;
    while (!this.stopped) {
      const ids = await reading(queue.database, () => queue.due.ids(BATCH));
      if (ids.length === 0) return;
      const moved = await this.moveAll(ids);
      for (const { event, tasks } of moved) if (event) queue.events.tell(event, tasks);
      // Fewer: what is left is being moved by others.
      if (ids.length < BATCH || moved.length === 0) return;
    }
  }

  /** All in one transaction; where something in it fails, each half for itself: one row that can't move holds up no other. */
  private async moveAll(ids: string[]): Promise<Moved<T>[]> {
    try {
      return await transaction(this.queue.database, () => this.move(ids));
    } catch (error) {
      if (error instanceof TaskError) throw error;
      if (ids.length === 1) {
        this.logger.error(`task ${ids[0]} can't be moved: ${(error as Error).message}`);
        return [];
      }
      const middle = Math.ceil(ids.length / 2);
      return [...(await this.moveAll(ids.slice(0, middle))), ...(await this.moveAll(ids.slice(middle)))];
    }
  }

  private *move(ids: string[]): Script<Moved<T>[]> {
    const { due, tasks, outbox } = this.queue;
    const moved: Moved<T>[] = [];
    for (const { ids: group, values, event } of this.moves(yield* due.lock(ids)))
      if (group.length > 0) moved.push({ event, tasks: yield* tasks.update(group, values) });
    yield* outbox.add(moved.flatMap(({ event, tasks: some }) => (event === 'failed' ? some : [])));
    return moved;
  }

  private moves(rows: DueRow[]): Move[] {
    const { lifeCycle } = this.queue;
    const { WAITING, BEGIN, ERROR } = lifeCycle.status;
    const idsOf = (fits: (row: DueRow) => boolean): string[] => rows.filter(fits).map((row) => row.id);
    const lapsed = (row: DueRow): boolean => lifeCycle.isHeld(row.status);
    const back = { status: BEGIN, leaseExpiresAt: null, releases: 0 };
    const failures = rows.filter((row) => lapsed(row) && this.isUsedUp(row));
    return [
      { ids: idsOf((row) => row.status === WAITING), values: { status: BEGIN }, event: 'ready' },
      // Another token than its worker has, which nobody knows: its reports are refused from now on.
      {
        ids: idsOf((row) => lapsed(row) && !this.isUsedUp(row) && isFenced(row.leaseToken)),
        values: { ...back, leaseToken: newToken() },
        event: 'ready',
      },
      // A worker of the original's form knows of no lease: its late end counts while nobody else has the task.
      {
        ids: idsOf((row) => lapsed(row) && !this.isUsedUp(row) && !isFenced(row.leaseToken)),
        values: back,
        event: 'ready',
      },
      ...failures.map((row): Move => ({
        ids: [row.id],
        values: {
          status: ERROR,
          leaseExpiresAt: null,
          finishedAt: NOW,
          error: `the lease ran out in attempt ${row.attempts} of ${this.maxAttempts(row)}`,
          leaseToken: isFenced(row.leaseToken) ? newToken() : undefined,
        },
        event: 'failed',
      })),
      // Moved by plain SQL, which left the lease behind.
      { ids: idsOf((row) => row.status !== WAITING && !lapsed(row)), values: { leaseExpiresAt: null } },
    ];
  }

  private maxAttempts(row: DueRow): number {
    return row.maxAttempts ?? this.queue.policies.of(row.service).maxAttempts;
  }

  private isUsedUp(row: DueRow): boolean {
    return row.attempts >= this.maxAttempts(row);
  }

  private async purgeKeys(): Promise<void> {
    if (performance.now() < this.nextPurge) return;
    const purged = await transaction(this.queue.database, () => this.queue.keys.purge(PURGE.rows));
    if (purged < PURGE.rows) this.nextPurge = performance.now() + PURGE.pause;
  }

  private async purgeCallbacks(): Promise<void> {
    if (performance.now() < this.nextCallbackPurge) return;
    const { database, callbacks, settings } = this.queue;
    const purged = await transaction(database, () => callbacks.purge(settings.callbackRetention, PURGE.rows));
    if (purged < PURGE.rows) this.nextCallbackPurge = performance.now() + PURGE.pause;
  }

  private async forgetEnded(): Promise<void> {
    const { due, database, settings } = this.queue;
    const { retention } = settings;
    if (retention.finished === undefined && retention.failed === undefined) return;
    if (performance.now() < this.nextWalk) return;
    const last = await transaction(database, () => due.forget(this.walkedTo, WALK.rows, retention));
    this.walkedTo = last ?? '';
    if (last === undefined) this.nextWalk = performance.now() + WALK.rest;
  }
}
