/**
 * The most tries at once in this process (`all`); of these, reserved for origins without a running try (`spare`); of
 * one origin at first (`first`), and after a quick answer (`origin`); and of all slow origins together (`slow`).
 */
const AT_ONCE = { all: 64, spare: 16, first: 2, origin: 8, slow: 32 } as const;
/** An origin is slow if a try takes longer than this many milliseconds, or than half of its timeout. */
const QUICK = 2000;
/** Milliseconds that slow origins with nothing due keep their turn, because each change of turns reads everything. */
const TURN = 1000;
/** The most origins that are remembered. A host's function may name any number. */
const MOST = 1000;

/** A due callback and its origin. */
export interface Due {
  id: string;
  origin: string;
}

/** How long a try used its slot, and how it ended. */
export interface SlotUse {
  milliseconds: number;
  isAnswered: boolean;
}

interface Place {
  /** Tries that are running, and the most that may run. */
  taken: number;
  most: number;
  /** The last try used its slot for long. Its result does not matter. */
  isSlow: boolean;
}

/**
 * Decides which tries may start. It looks at how long receivers use their slots, not at what they answer. Receivers
 * that hang, answer byte by byte or have a long queue leave slots to the others, and slow ones take turns.
 */
export class DeliverySlots {
  /** The origin that was tried longest ago comes first: this is the order of turns. */
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

  /** Free slots of all. */
  get left(): number {
    return AT_ONCE.all - this.all;
  }

  /** Origins that may start no try now. */
  get closed(): Set<string> {
    const isSpare = this.left <= AT_ONCE.spare;
    let turns = this.leftForSlow;
    const isClosed = ({ taken, most, isSlow }: Place): boolean =>
      taken >= most || (isSpare && taken > 0) || (isSlow && (turns -= 1) < 0);
    return new Set([...this.origins].filter(([, place]) => isClosed(place)).map(([origin]) => origin));
  }

  /** The first of the due callbacks for which there is a slot. */
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

  /** `due` is everything that is due. Slow origins with nothing in it give their turn to others. */
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

  /** Without `held` the try says nothing about the receiver. */
  leave(origin: string, held: SlotUse | undefined): void {
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
