/**
 * Tries at once in this process, and how many of those are for origins that have none under way; of one origin, at first
 * and once it has answered quickly; and of all together that are slow.
 */
const AT_ONCE = { all: 64, spare: 16, first: 2, origin: 8, slow: 32 } as const;
/** Milliseconds that a try may take without its origin being slow, or half of its timeout. */
const QUICK = 2000;
/** Milliseconds that slow origins which have nothing due keep their turn: each change of turns is a look at everything. */
const TURN = 1000;
/** Origins that are remembered; a host's function may name any number. */
const MOST = 1000;

/** A callback that is due, and where it goes. */
export interface Due {
  id: string;
  origin: string;
}

/** How a try held its place. */
export interface Held {
  milliseconds: number;
  isAnswered: boolean;
}

interface Place {
  /** Tries under way, and how many there may be. */
  taken: number;
  most: number;
  /** Its last try held its place for long, whatever came of it. */
  isSlow: boolean;
}

/**
 * Which tries there is room for. What counts is how long receivers hold their places, not what they answer: those that
 * hang, dribble or have a crowd waiting leave places to the others, and slow ones take turns in theirs.
 */
export class Places {
  /** Tried longest ago first, which is the order of turns. */
  private readonly origins = new Map<string, Place>();
  private all = 0;
  private turnedAt = -Infinity;
  private readonly quick: number;

  constructor(
    /** Milliseconds that a try may take. */
    timeout: number,
  ) {
    this.quick = Math.min(QUICK, timeout / 2);
  }

  /** In all. */
  get left(): number {
    return AT_ONCE.all - this.all;
  }

  /** Origins that none may be begun of just now. */
  get closed(): Set<string> {
    const isSpare = this.left <= AT_ONCE.spare;
    let turns = this.leftForSlow;
    const isClosed = ({ taken, most, isSlow }: Place): boolean =>
      taken >= most || (isSpare && taken > 0) || (isSlow && (turns -= 1) < 0);
    return new Set([...this.origins].filter(([, place]) => isClosed(place)).map(([origin]) => origin));
  }

  /** The first of them that there is room for, side by side. */
  choose(due: Due[]): string[] {
    let [left, leftForSlow] = [this.left, this.leftForSlow];
    const begun = new Map<string, number>();
    const chosen: string[] = [];
    for (const { id, origin } of due) {
      const { taken, most, isSlow } = this.origins.get(origin) ?? NEW;
      const count = taken + (begun.get(origin) ?? 0);
      if (left <= 0 || count >= (left <= AT_ONCE.spare ? 1 : most) || (isSlow && leftForSlow <= 0)) continue;
      begun.set(origin, (begun.get(origin) ?? 0) + 1);
      left -= 1;
      if (isSlow) leftForSlow -= 1;
      chosen.push(id);
    }
    return chosen;
  }

  /** This is all that is due: slow ones that have nothing in it give their turn to others. */
  pass(due: Due[]): void {
    const now = performance.now();
    if (now - this.turnedAt < TURN) return;
    this.turnedAt = now;
    const [closed, waiting] = [this.closed, new Set(due.map(({ origin }) => origin))];
    for (const [origin, place] of [...this.origins])
      if (place.isSlow && place.taken === 0 && !closed.has(origin) && !waiting.has(origin)) this.keep(origin, place);
  }

  take(origin: string): void {
    const place = this.origins.get(origin) ?? { ...NEW };
    place.taken += 1;
    this.all += 1;
    this.keep(origin, place);
  }

  /** Without `held`, the try says nothing of the receiver. */
  leave(origin: string, held: Held | undefined): void {
    const place = this.origins.get(origin)!;
    place.taken -= 1;
    this.all -= 1;
    if (!held) return;
    place.isSlow = held.milliseconds > this.quick;
    if (!place.isSlow) place.most = AT_ONCE.origin;
    else if (!held.isAnswered) place.most = AT_ONCE.first;
  }

  private keep(origin: string, place: Place): void {
    this.origins.delete(origin);
    this.origins.set(origin, place);
    if (this.origins.size <= MOST) return;
    for (const [oldest, { taken }] of this.origins)
      if (taken === 0) {
        this.origins.delete(oldest);
        return;
      }
  }

  private get leftForSlow(): number {
    const slow = [...this.origins.values()].map(({ taken, isSlow }) => (isSlow ? taken : 0));
    return AT_ONCE.slow - slow.reduce((sum, taken) => sum + taken, 0);
  }
}

const NEW: Readonly<Place> = { taken: 0, most: AT_ONCE.first, isSlow: false };
