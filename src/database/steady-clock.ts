import { utcText } from './clock.js';

/** The share by which it runs slower while it is ahead of the system's clock. */
const SLOWER = 0.1;

/**
 * SQLite has only the system's clock, which an operator or NTP may set. This clock never goes back: if the system's
 * clock is set back by an hour, every lease would last an hour longer, and when it is corrected all leases would end at
 * once. A step forwards is followed at once, because the machine may have slept. While this clock is ahead, it runs a
 * tenth slower.
 */
export class SteadyClock {
  private shown: number;
  private readAt: number;

  constructor(
    private readonly wall: () => number = () => Date.now(),
    private readonly monotonic: () => number = () => performance.now(),
  ) {
    this.shown = wall();
    this.readAt = monotonic();
  }

  /** Milliseconds since 1970. */
  now(): number {
    const at = this.monotonic();
    const passed = at - this.readAt;
    const wall = this.wall();
    this.readAt = at;
    this.shown = Math.max(wall, this.shown + passed * (1 - SLOWER));
    return this.shown;
  }
}

/** A placeholder among a statement's values for the time at which the statement runs. */
export class TimeOfStatement {
  private readonly clock = new SteadyClock();

  get text(): string {
    return utcText(new Date(this.clock.now()));
  }
}

/** Values as the driver takes them, with one time for the whole statement. */
export function bound(values: unknown[]): unknown[] {
  let now: string | undefined;
  return values.map((value) => (value instanceof TimeOfStatement ? (now ??= value.text) : value));
}
