import { TaskError } from '../../contract/errors.js';
import { Poller, type Service } from '../../polling/poller.js';
import type { TaskFilter } from '../stores/ready.store.js';
import { type Wait, Waiter, type Wake } from './waiting-claim.js';

/** A task that has become ready. */
export interface ReadyTask {
  taskId: string;
  service: string;
  group: string | null;
}

/** Asks the database which of these filters have ready tasks. */
export type Probe = (filters: TaskFilter[]) => Promise<boolean[]>;

/** Tries to claim. The last attempt only looks up the tasks that the claim's key stands for. */
export type Attempt<T> = (isLast: boolean) => Promise<T[] | undefined>;

/** Milliseconds between two probes for tasks of other processes: shortest after a find, longest while there is none. */
const INTERVAL = { shortest: 100, longest: 700 } as const;

/**
 * Claims that wait for a task. A commit of this process wakes one fitting claim for each task that it made ready. One
 * probe finds the tasks that other processes made ready, for all waiting claims together. A claim that no longer needs
 * its wake passes it to the next.
 */
export class WaitingRoom implements Service {
  private readonly waiters = new Set<Waiter>();
  private readonly poller = new Poller({
    name: 'looking for tasks of waiting claims',
    interval: INTERVAL,
    run: () => this.probeAll(),
  });
  private isClosed = false;

  constructor(
    private readonly size: number,
    private readonly probe: Probe,
  ) {}

  /**
   * Tries at once, and again after each wake. It ends when an attempt finds tasks, or says that there will be none
   * (undefined), or when the time is over, the client is gone, or the process stops. If all places are taken and the
   * first attempt finds nothing: TOO_MANY_REQUESTS.
   */
  async claim<T>(wait: Wait, attempt: Attempt<T>): Promise<T[]> {
    const found = await this.find(wait, attempt);
    if (wait.key !== undefined && !wait.signal?.aborted) this.answered(wait.key, found);
    return found ?? [];
  }

  private async find<T>(wait: Wait, attempt: Attempt<T>): Promise<T[] | undefined> {
    if (wait.seconds === 0 || this.isClosed) return attempt(false);
    if (this.waiters.size >= this.size) return this.turnAway(attempt);
    // It takes its place before the first attempt, so that it misses no wake.
    const waiter = new Waiter(wait);
    this.waiters.add(waiter);
    this.poller.start();
    let found: T[] | undefined = [];
    try {
      do found = await attempt(false);
      while (found?.length === 0 && (await waiter.woken()));
      // Another claim with its key may have taken tasks meanwhile, and a client that is answered "none" never asks
      // again.
      if (found?.length === 0 && wait.key !== undefined) found = await attempt(true);
      return found;
    } finally {
      this.leave(waiter, found);
    }
  }

  /**
   * Claims with one key are the same request, repeated by a client that lost the first: all get the same answer. The
   * others look up what this one took. If it found nothing they end, because their clients are gone.
   */
  private answered(key: string, found: unknown[] | undefined): void {
    for (const waiter of this.waiters) {
      if (waiter.key !== key) continue;
      if (found?.length === 0) waiter.stop();
      else if (!waiter.pending) waiter.wake({ fits: () => false, probed: false });
    }
  }

  /** Wakes the fitting claim that has waited longest. */
  ready(task: ReadyTask): void {
    this.wake({ fits: (filter) => fits(filter, task), probed: false });
  }

  /** There may be tasks for any of the claims: asks the database now. */
  look(): void {
    this.poller.wake();
  }

  /** Ends every wait. The claims answer with no tasks. */
  drain(): void {
    this.isClosed = true;
    this.poller.rest();
    for (const waiter of this.waiters) waiter.stop();
  }

  stop(): Promise<void> {
    this.drain();
    return this.poller.stop();
  }

  private async turnAway<T>(attempt: Attempt<T>): Promise<T[] | undefined> {
    const found = await attempt(false);
    if (!found || found.length > 0) return found;
    throw new TaskError('TOO_MANY_REQUESTS', {
      msg: `${this.size} claims are already waiting in this process; retry after the Retry-After header`,
    });
  }

  private leave(waiter: Waiter, found: unknown[] | undefined): void {
    this.waiters.delete(waiter);
    const { unused, last } = waiter.end();
    if (unused) this.wake(unused);
    // The probe may have seen more than one task, so the next claim looks, until one finds nothing. A claim that takes
    // nothing any more did not use its wake.
    if (last && (!found || (last.probed && found.length > 0))) this.wake(last);
    if (this.waiters.size === 0) this.poller.rest();
  }

  /** Prefers a claim that sleeps: one that is just trying would try twice. */
  private wake(wake: Wake): void {
    const fitting = [...this.waiters].filter((waiter) => !waiter.pending && wake.fits(waiter.filter));
    (fitting.find((waiter) => waiter.asleep) ?? fitting[0])?.wake(wake);
  }

  private async probeAll(): Promise<boolean> {
    const filters = new Map([...this.waiters].map((waiter) => [JSON.stringify(waiter.filter), waiter.filter]));
    // If the database is away, the claims themselves notice.
    const found = await this.probe([...filters.values()]).catch((): boolean[] => []);
    [...filters.keys()]
      .filter((_, index) => found[index])
      .forEach((key) => this.wake({ fits: (filter) => JSON.stringify(filter) === key, probed: true }));
    return found.includes(true);
  }
}

const fits = ({ service, group, taskId }: TaskFilter, task: ReadyTask): boolean =>
  (service === undefined || service === task.service) &&
  (group === undefined || group === task.group) &&
  (taskId === undefined || taskId === task.taskId);
