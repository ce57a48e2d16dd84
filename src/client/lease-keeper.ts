/** What holds a lease. */
export interface Lessee {
  /** When something was last said, in milliseconds. */
  readonly saidAt: number;
  renew(): void;
}

/**
 * Renews the leases that nothing was said for, by a timer of its own: no more than `heartbeat` seconds pass without a
 * word, however long a handler awaits something. A handler that blocks the event loop blocks this timer, too.
 */
export class LeaseKeeper {
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly heartbeat: number,
    private readonly lessees: () => Iterable<Lessee>,
  ) {}

  start(): void {
    // Looks four times a heartbeat, and renews what would not last until the next look but one.
    const quarter = this.heartbeat * 250;
    this.timer = setInterval(() => {
      const now = performance.now();
      for (const lessee of this.lessees()) if (now - lessee.saidAt >= 3 * quarter - 5) lessee.renew();
    }, quarter);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
