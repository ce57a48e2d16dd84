import type { Health } from './health.js';

/**
 * Tries at once in this process, of one origin, of one that failed last time, and of all those together: however many
 * receivers hang, as many places are left for those that work.
 */
const AT_ONCE = { all: 64, origin: 8, troubled: 2, allTroubled: 32 } as const;

/** A callback that is due, and where it goes. */
export interface Due {
  id: string;
  origin: string;
}

/** Which tries there is room for: a receiver that hangs or has a crowd waiting leaves the places of the others alone. */
export class Places {
  /** Origin -> places taken. */
  private readonly taken = new Map<string, number>();
  private all = 0;

  constructor(private readonly health: Health) {}

  /** In all. */
  get left(): number {
    return AT_ONCE.all - this.all;
  }

  /** Origins that have all that they may have. */
  get full(): Set<string> {
    const full = [...this.taken].filter(([origin]) => this.leftFor(origin) <= 0).map(([origin]) => origin);
    return new Set(this.leftForTroubled > 0 ? full : [...full, ...this.health.troubledOrigins]);
  }

  take(origin: string): void {
    this.taken.set(origin, (this.taken.get(origin) ?? 0) + 1);
    this.all += 1;
  }

  leave(origin: string): void {
    const count = this.taken.get(origin)! - 1;
    if (count > 0) this.taken.set(origin, count);
    else this.taken.delete(origin);
    this.all -= 1;
  }

  /** The first of them that there is room for, side by side. */
  choose(due: Due[]): string[] {
    const { left: room } = this;
    const free = new Map<string, number>();
    const chosen: string[] = [];
    let leftForTroubled = this.leftForTroubled;
    for (const { id, origin } of due) {
      const left = free.get(origin) ?? this.leftFor(origin);
      const isTroubled = this.health.isTroubled(origin);
      if (left <= 0 || chosen.length === room || (isTroubled && leftForTroubled <= 0)) continue;
      free.set(origin, left - 1);
      if (isTroubled) leftForTroubled -= 1;
      chosen.push(id);
    }
    return chosen;
  }

  private leftFor(origin: string): number {
    const most = this.health.isTroubled(origin) ? AT_ONCE.troubled : AT_ONCE.origin;
    return most - (this.taken.get(origin) ?? 0);
  }

  private get leftForTroubled(): number {
    const taken = [...this.taken].map(([origin, count]) => (this.health.isTroubled(origin) ? count : 0));
    return AT_ONCE.allTroubled - taken.reduce((sum, count) => sum + count, 0);
  }
}
