import { TaskError } from '../contract/errors.js';
import type { TaskFilter } from '../store/ready.store.js';
import { Waiter, type Wake } from './waiter.js';

/** A task that has become ready. */
export interface ReadyTask {
  taskId: string;
  service: string;
  group: string | null;
}

/** Asks the database which of these filters have ready tasks. */
export type Probe = (filters: TaskFilter[]) => Promise<boolean[]>;

/** Milliseconds between looks for what other processes made ready: soon again after a find, rarer while there is none. */
const PAUSE = { shortest: 100, longest: 700 } as const;

/**
 * Claims that wait for a task. A commit of this process wakes one fitting claim for each task that it made ready; what
 * other processes make ready is found by one probe for all claims, however many wait. A wake that its claim has no use
 * for any more goes to the next.
 */
export class WaitingRoom {
  private readonly waiters = new Set<Waiter>();
  private timer: NodeJS.Timeout | undefined;
  private pause: number = PAUSE.shortest;
  private closed = false;

  constructor(
    private readonly size: number,
    private readonly probe: Probe,
  ) {}

  /**
   * Tries at once, and again whenever a task that fits has become ready, until a try finds some or says that it will find
   * none any more (undefined), the time is over, the client has gone or the process stops. TOO_MANY_REQUESTS where nothing is found and all places are taken.
   */
  async claim<T>(
    filter: TaskFilter,
    seconds: number,
    signal: AbortSignal | undefined,
    attempt: () => Promise<T[] | undefined>,
  ): Promise<T[]> {
    if (seconds === 0 || this.closed) return (await attempt()) ?? [];
    if (this.waiters.size >= this.size) return this.turnAway(attempt);
    // Its place is taken before the first try, so that no wake falls in between.
    const waiter = new Waiter(filter, seconds * 1000, signal);
    this.waiters.add(waiter);
    this.look();
    let found: T[] | undefined = [];
    try {
      do found = await attempt();
      while (found?.length === 0 && (await waiter.woken()));
      return found ?? [];
    } finally {
      this.leave(waiter, found);
    }
  }

  /** Wakes the claim that has waited longest of those that fit. */
  ready(task: ReadyTask): void {
    this.wake({ fits: (filter) => fits(filter, task), probed: false });
  }

  /** Ends every wait: the claims answer what they have, nothing. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const waiter of this.waiters) waiter.stop();
  }

  private async turnAway<T>(attempt: () => Promise<T[] | undefined>): Promise<T[]> {
    const found = await attempt();
    if (!found || found.length > 0) return found ?? [];
    throw new TaskError('TOO_MANY_REQUESTS', { msg: `${this.size} claims are waiting here; come back later` });
  }

  private leave(waiter: Waiter, found: unknown[] | undefined): void {
    this.waiters.delete(waiter);
    const { unused, last } = waiter.end();
    if (unused) this.wake(unused);
    // Where the probe found one task there may be more: the next claim looks, until one finds nothing. One that takes
    // nothing any more had no use for it.
    if (last && (!found || (last.probed && found.length > 0))) this.wake(last);
    if (this.waiters.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Those that sleep come first; one that is trying just now would try again. */
  private wake(wake: Wake): void {
    const fitting = [...this.waiters].filter((waiter) => !waiter.pending && wake.fits(waiter.filter));
    (fitting.find((waiter) => waiter.asleep) ?? fitting[0])?.wake(wake);
  }

  private look(): void {
    if (this.timer || this.closed) return;
    this.timer = setTimeout(() => void this.probeAll(), this.pause * (0.7 + Math.random() * 0.3));
    this.timer.unref();
  }

  private async probeAll(): Promise<void> {
    const filters = new Map([...this.waiters].map((waiter) => [JSON.stringify(waiter.filter), waiter.filter]));
    // A database that is away is found out by the claims themselves.
    const found = await this.probe([...filters.values()]).catch((): boolean[] => []);
    [...filters.keys()]
      .filter((_, index) => found[index])
      .forEach((key) => this.wake({ fits: (filter) => JSON.stringify(filter) === key, probed: true }));
    this.pause = found.includes(true) ? PAUSE.shortest : Math.min(this.pause * 2, PAUSE.longest);
    this.timer = undefined;
    if (this.waiters.size > 0) this.look();
  }
}

const fits = ({ service, group, taskId }: TaskFilter, task: ReadyTask): boolean =>
  (service === undefined || service === task.service) &&
  (group === undefined || group === task.group) &&
  (taskId === undefined || taskId === task.taskId);
