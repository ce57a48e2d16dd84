import { Logger } from '@nestjs/common';

/** Work that is repeated. */
export interface Job {
  /** Its name in the log, as in "expiring leases failed". */
  readonly name: string;
  readonly interval: Interval;
  /** One look. It should stop when `isOver` returns true. Returns whether it found something. */
  run(isOver: () => boolean): Promise<boolean>;
}

/** Milliseconds from the end of one look to the next, minus a random share of up to 30 %. */
export interface Interval {
  /** After a look that found something. */
  shortest: number;
  /** The most, after looks that found nothing, and after a failure. */
  longest: number;
  /** The factor by which each further look that finds nothing lengthens the pause. @defaultValue 2 */
  growth?: number;
}

/** Runs from the start of a queue to its end. */
export interface Service {
  start?(): void;
  /** Accepts no new work. */
  drain?(): Promise<void> | void;
  /** Resolves once the current work has ended. */
  stop(): Promise<void>;
}

/** Milliseconds after a look before `wake()` can start the next one. */
const REST = 25;

/** Runs a job, one look at a time: on a timer, and when it is woken. An outage is logged once. */
export class Poller implements Service {
  private readonly logger = new Logger('TaskModule');
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private pause: number;
  private lastLook = -Infinity;
  private isRunning = false;
  private isStopped = false;
  /** Woken during a look. */
  private isWoken = false;
  private isFailing = false;

  constructor(private readonly job: Job) {
    this.pause = job.interval.shortest;
  }

  /** The first look comes after one interval. */
  start(): void {
    if (this.isRunning || this.isStopped) return;
    this.isRunning = true;
    if (!this.current) this.lookAfterPause();
  }

  /** There may be something new: look now, unless the last look has just ended. */
  wake(): void {
    this.again(this.lastLook + REST - performance.now());
  }

  /** Looks after the current look, or after this many milliseconds. */
  again(milliseconds = 0): void {
    if (!this.isRunning) return;
    if (this.current) this.isWoken = true;
    else this.lookIn(Math.max(0, milliseconds));
  }

  /** Pauses until the next start. */
  rest(): void {
    this.isRunning = false;
    clearTimeout(this.timer);
  }

  /** Ends all looks. Resolves when the current one is over. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.rest();
    await this.current;
  }

  private lookAfterPause(): void {
    this.lookIn(this.pause * (0.7 + Math.random() * 0.3));
  }

  private lookIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.current = this.look().finally(() => {
        this.current = undefined;
        if (!this.isRunning) return;
        if (this.isWoken) this.again();
        else this.lookAfterPause();
      });
    }, milliseconds);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    const { name, interval } = this.job;
    const { shortest, longest, growth = 2 } = interval;
    this.isWoken = false;
    try {
      const found = await this.job.run(() => this.isStopped);
      this.isFailing = false;
      this.pause = found ? shortest : Math.min(this.pause * growth, longest);
    } catch (error) {
      this.pause = longest;
      // While the database is away, many looks fail.
      if (!this.isFailing) this.logger.warn(`${name} failed and will be repeated: ${(error as Error).message}`);
      this.isFailing = true;
    }
    this.lastLook = performance.now();
  }
}
