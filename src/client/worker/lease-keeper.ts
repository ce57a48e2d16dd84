/** Something that holds a lease. */
export interface Lessee {
  /** When the last report was made, in milliseconds. */
  readonly saidAt: number;
  /**
   * When the lease certainly ran last, in milliseconds: the claim was answered then, or a report was sent that was
   * accepted, or that found the queue away.
   */
  readonly heldAt: number;
  renew(): void;
  stop(reason: 'lost'): void;
}

/** Seconds that the server may need to notice an expired lease. Until then it accepts a late report. */
const SWEEP = 2;

/**
 * Renews leases without a recent report, by its own timer: at most `heartbeat` seconds pass without a report, however
 * long a handler awaits something. It gives up leases that have run out while nobody answered. A handler that blocks
 * the event loop blocks this timer, too.
 */
export class LeaseKeeper {
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly heartbeat: number,
    private readonly lease: number,
    private readonly lessees: () => Iterable<Lessee>,
  ) {}

  start(): void {
    // Looks four times per heartbeat, and renews a lease that would not last until the look after the next.
    const quarter = this.heartbeat * 250;
    let doubted = new Set<Lessee>();
    this.timer = setInterval(() => {
      const now = performance.now();
      const lapsed = new Set<Lessee>();
      for (const lessee of this.lessees()) {
        if (now - lessee.heldAt > (this.lease + SWEEP) * 1000) lapsed.add(lessee);
        // Only after two looks in a row: after a blocked event loop the answer to a report may be there and not be read
        // yet.
        if (lapsed.has(lessee) && doubted.has(lessee)) lessee.stop('lost');
        else if (now - lessee.saidAt >= 3 * quarter - 5) lessee.renew();
      }
      doubted = lapsed;
    }, quarter);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
