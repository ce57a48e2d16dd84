import type { TaskFilter } from '../store/ready.store.js';

/** Word that a task has become ready. */
export interface Wake {
  /** Which claims it is for. */
  fits(filter: TaskFilter): boolean;
  /** Found by the probe: there may be more than one task. */
  probed: boolean;
}

/** One claim that waits. */
export class Waiter {
  /** A wake that no try has answered yet. */
  pending: Wake | undefined;
  private last: Wake | undefined;
  private stopped = false;
  private readonly deadline: number;
  private rise: (() => void) | undefined;

  constructor(
    readonly filter: TaskFilter,
    milliseconds: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.deadline = performance.now() + milliseconds;
  }

  get asleep(): boolean {
    return this.rise !== undefined;
  }

  wake(wake: Wake): void {
    this.pending = wake;
    this.rise?.();
  }

  /** After a try that found nothing: true when there is reason for another, false when it is over. */
  async woken(): Promise<boolean> {
    if (!this.pending && !this.over) await this.sleep();
    // Whoever has gone leaves the wake to another.
    if (!this.pending || this.stopped || this.signal?.aborted) return false;
    this.last = this.pending;
    this.pending = undefined;
    return true;
  }

  stop(): void {
    this.stopped = true;
    this.rise?.();
  }

  /** What it leaves behind: a wake that it didn't use, and the last one that it did. */
  end(): { unused: Wake | undefined; last: Wake | undefined } {
    return { unused: this.pending, last: this.last };
  }

  private get over(): boolean {
    return this.stopped || this.signal?.aborted === true || performance.now() >= this.deadline;
  }

  private sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.rise?.(), this.deadline - performance.now());
      this.rise = () => {
        clearTimeout(timer);
        this.signal?.removeEventListener('abort', this.rise!);
        this.rise = undefined;
        resolve();
      };
      this.signal?.addEventListener('abort', this.rise);
    });
  }
}
