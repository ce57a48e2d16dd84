import type { TaskFilter } from '../stores/ready.store.js';

/** The notice that a task has become ready. */
export interface Wake {
  /** Which claims it is for. */
  fits(filter: TaskFilter): boolean;
  /** Sent by the probe, which does not count: there may be more than one task. */
  probed: boolean;
}

/** What a claim waits for. */
export interface Wait {
  filter: TaskFilter;
  seconds: number;
  /** Aborted when the client is gone. */
  signal?: AbortSignal | undefined;
  /** The digest of its Idempotency-Key. */
  key?: string | undefined;
}

/** One waiting claim. */
export class Waiter {
  /** A wake that no attempt has answered yet. */
  pending: Wake | undefined;
  private last: Wake | undefined;
  private stopped = false;
  private readonly deadline: number;
  private rise: (() => void) | undefined;

  constructor(private readonly wait: Wait) {
    this.deadline = performance.now() + wait.seconds * 1000;
  }

  get filter(): TaskFilter {
    return this.wait.filter;
  }

  get key(): string | undefined {
    return this.wait.key;
  }

  get asleep(): boolean {
    return this.rise !== undefined;
  }

  wake(wake: Wake): void {
    this.pending = wake;
    this.rise?.();
  }

  /**
   * Waits after an attempt that found nothing. True if there is reason for another attempt, false if the wait is over.
   */
  async woken(): Promise<boolean> {
    if (!this.pending && !this.over) await this.sleep();
    // A claim whose client is gone leaves the wake to another claim.
    if (!this.pending || this.stopped || this.wait.signal?.aborted) return false;
    this.last = this.pending;
    this.pending = undefined;
    return true;
  }

  stop(): void {
    this.stopped = true;
    this.rise?.();
  }

  /** The wake that it did not use, and the last one that it used. */
  end(): { unused: Wake | undefined; last: Wake | undefined } {
    return { unused: this.pending, last: this.last };
  }

  private get over(): boolean {
    return this.stopped || this.wait.signal?.aborted === true || performance.now() >= this.deadline;
  }

  private sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.rise?.(), this.deadline - performance.now());
      this.rise = () => {
        clearTimeout(timer);
        this.wait.signal?.removeEventListener('abort', this.rise!);
        this.rise = undefined;
        resolve();
      };
      this.wait.signal?.addEventListener('abort', this.rise);
    });
  }
}
