import type { CronExpression } from 'cron-parser';
import { IANAZone } from 'luxon';

/** When something is due, again and again. */
export interface Cadence {
  /** The first time after this one. undefined: there is none. */
  after(time: Date): Date | undefined;
}

/** Every `seconds`, counted from `anchor`. */
export function everySeconds(seconds: number, anchor: Date): Cadence {
  const step = seconds * 1000;
  const start = anchor.getTime();
  return { after: (time) => new Date(start + Math.max(0, Math.floor((time.getTime() - start) / step) + 1) * step) };
}

const DAY = 86_400_000;

/**
 * The times of a cron expression in a time zone.
 *
 * Where clocks change, it follows the rule of Debian's cron. A fixed time of day comes exactly once: if clocks skip it,
 * right after the gap; if they repeat it, the first time. A job with `*` in its minutes or hours keeps its interval: it
 * comes whenever the clock on the wall shows a time that fits.
 *
 * `parse` makes an expression that starts after a time and reads the clock of UTC. So cron-parser counts in times of
 * the wall, and the time zone is applied here.
 */
export class CronCadence implements Cadence {
  private readonly zone: IANAZone;
  private readonly isFixed: boolean;

  constructor(
    cron: string,
    timeZone: string,
    private readonly parse: (after: Date) => CronExpression,
  ) {
    this.zone = IANAZone.create(timeZone);
    this.isFixed = !hasWildcard(cron);
  }

  after(time: Date): Date | undefined {
    const now = time.getTime();
    const [least, most] = this.offsetsAround(now);
    const walls = this.parse(new Date(now + least - 1));
    let found = Infinity;
    for (;;) {
      const wall = next(walls);
      if (wall === undefined) break;
      const comes = this.instants(wall).filter((instant) => instant > now);
      found = Math.min(found, ...comes);
      // No later time of the wall can come before this one.
      if (wall - most >= found || (this.isFixed && found < Infinity)) break;
    }
    return found === Infinity ? undefined : new Date(found);
  }

  /** When the clock on the wall shows this time: mostly once. */
  private instants(wall: number): number[] {
    const offsets = new Set([this.offset(wall - DAY), this.offset(wall + DAY)]);
    const shown = [...offsets]
      .map((offset) => wall - offset)
      .filter((instant) => instant + this.offset(instant) === wall);
    if (!this.isFixed) return shown;
    return [shown.length > 0 ? Math.min(...shown) : this.endOfGap(wall, offsets)];
  }

  /** The clock jumps over this time of the wall: when? */
  private endOfGap(wall: number, offsets: Set<number>): number {
    let before = wall - Math.max(...offsets);
    let after = wall - Math.min(...offsets);
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (middle + this.offset(middle) < wall) before = middle;
      else after = middle;
    }
    return after;
  }

  private offsetsAround(instant: number): [least: number, most: number] {
    const offsets = [this.offset(instant - DAY), this.offset(instant + DAY)];
    return [Math.min(...offsets), Math.max(...offsets)];
  }

  /** Milliseconds that the clock on the wall is ahead of UTC. */
  private offset(instant: number): number {
    return this.zone.offset(instant) * 60_000;
  }
}

function next(walls: CronExpression): number | undefined {
  try {
    return walls.next().getTime();
  } catch {
    // cron-parser gives up where nothing fits within its bound of years.
    return undefined;
  }
}

/** Whether minutes or hours begin with `*`, in an expression or in its short name. */
const hasWildcard = (cron: string): boolean =>
  cron === '@hourly' ||
  cron
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .some((field) => field.startsWith('*'));
