/**
 * From this many seconds without a look, or after a step of the database's clock by as many, the queue counts as away.
 */
const GAP = 5;

interface Look {
  /** By this process's monotonic clock, in milliseconds. */
  at: number;
  /** By the database's clock, in milliseconds. */
  clock: number;
}

/**
 * How long this process has watched the leases without a break. During a break (the process is new, was stopped, or had
 * no database, or the database's clock was set) workers could not renew their leases, so a worker may be alive although
 * its lease is over.
 */
export class OutageWatch {
  private since: number | undefined;
  private last: Look | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Starts a look. Returns the seconds without a break. */
  look(): number {
    const now = this.now();
    if (!this.last || now - this.last.at > GAP * 1000) this.since = now;
    this.since ??= now;
    return (now - this.since) / 1000;
  }

  /** The database's clock at a look that was answered: whether it continued, or was set forwards or back. */
  looked(clock: Date): 'steady' | 'forwards' | 'back' {
    const look = { at: this.now(), clock: clock.getTime() };
    const step = this.last ? (look.clock - this.last.clock - (look.at - this.last.at)) / 1000 : 0;
    this.last = look;
    if (Math.abs(step) <= GAP) return 'steady';
    this.since = look.at;
    return step > 0 ? 'forwards' : 'back';
  }
}
