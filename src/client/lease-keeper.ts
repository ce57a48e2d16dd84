/** What holds a lease. */
export interface Lessee {
  /** When something was last said, in milliseconds. */
  readonly saidAt: number;
  /** When the lease surely ran last, in milliseconds: its claim was answered then, or a report sent that was taken. */
  readonly heldAt: number;
  renew(): void;
  stop(reason: 'lost'): void;
}

/** Seconds that the server may take to see that a lease has run out: until then it takes a late report. */
const SWEEP = 2;

/**
 * Renews the leases that nothing was said for, by a timer of its own: no more than `heartbeat` seconds pass without a
 * word, however long a handler awaits something; and gives up those that have run out while nobody answered. A handler
 * that blocks the event loop blocks this timer, too.
 */
export class LeaseKeeper {
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly heartbeat: number,
    private readonly lease: number,
    private readonly lessees: () => Iterable<Lessee>,
  ) {}

  start(): void {
    // Looks four times a heartbeat, and renews what would not last until the next look but one.
    const quarter = this.heartbeat * 250;
    let doubted = new Set<Lessee>();
    this.timer = setInterval(() => {
      const now = performance.now();
      const lapsed = new Set<Lessee>();
      for (const lessee of this.lessees()) {
        if (now - lessee.heldAt > (this.lease + SWEEP) * 1000) lapsed.add(lessee);
        // Twice in a row: after a blocked event loop the answer to a report may be there, and not read yet.
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
