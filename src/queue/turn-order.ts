/** An owner, or a group; null: the tasks without a group. */
export type TurnKey = string | null;

/** Of this many that come next, the one with the least load has its turn. */
export const WINDOW = 8;

/** Milliseconds for which the names of all are used without a new read. */
const FRESH = 1000;

/**
 * The place of the one whose turn it is: of the next eight that may start a task, the one with the least load; of
 * equals, the first. -1: none may.
 */
export function choose(
  keys: readonly TurnKey[],
  load: (key: TurnKey) => number,
  may: (key: TurnKey) => boolean,
): number {
  let best = -1;
  let least = Infinity;
  let seen = 0;
  for (let place = 0; place < keys.length && seen < WINDOW; place++) {
    const key = keys[place] as TurnKey;
    if (!may(key)) continue;
    seen += 1;
    const loaded = load(key);
    if (best >= 0 && loaded >= least) continue;
    best = place;
    least = loaded;
  }
  return best;
}

/** Names to read on: those after one, up to another. */
export interface Range {
  after: string | undefined;
  upTo: string | undefined;
  /** Which read it is: the answer to an older one comes too late. */
  read: number;
}

/**
 * Who comes next in one service, as a wheel of names in the order of an index, turned by this process. It keeps the
 * names that it has read and not passed, so that each turn reads about one. If it knows all names there are, it goes on
 * in memory for as many turns as it has read names, at least eight, and for at most a second: a name that another
 * process adds is found then.
 */
export class TurnOrder {
  private keys: TurnKey[] = [];
  /** How many of the keys stand before the end of the index. The others are those of the next lap. */
  private ofLap = 0;
  /** The last one that was served. The keys are those after it. undefined: none was. */
  private served: TurnKey | undefined;
  /** The last name that was read. undefined: none of this lap. */
  private last: string | undefined;
  /** The reading has gone past the end of the index, and began again. */
  private hasTurned = false;
  /** The keys are all there are. */
  private isWhole = false;
  private hasBegun = false;
  /** Somebody was forgotten since the names were read. */
  private hasForgotten = false;
  private now = 0;
  private turns = 0;
  private readAt = 0;
  private read = 0;

  /** `withNull`: null is one of the keys. Reads find names only. */
  constructor(private readonly withNull: boolean) {}

  /** Forgets what may be out of date. */
  freshen(now: number): void {
    this.now = now;
    const isUsed = this.turns >= Math.max(this.keys.length, WINDOW) || now - this.readAt >= FRESH;
    if (this.hasBegun && !(this.isWhole && isUsed)) return;
    this.hasBegun = true;
    this.begin();
  }

  /** Reads again if it has forgotten somebody: another process may have made a task of theirs ready. */
  renew(): boolean {
    if (!this.hasForgotten) return false;
    this.begin();
    return true;
  }

  private begin(): void {
    this.hasForgotten = false;
    this.keys = this.withNull && this.served === undefined ? [null] : [];
    this.ofLap = this.keys.length;
    this.last = this.served ?? undefined;
    this.hasTurned = false;
    this.isWhole = false;
    this.read += 1;
  }

  /** How many of the keys may start a task, counted up to `most`. */
  count(may: (key: TurnKey) => boolean, most: number): number {
    let count = 0;
    for (const key of this.keys) {
      if (may(key)) count += 1;
      if (count >= most) break;
    }
    return count;
  }

  /** What to read to know more names. undefined: all are known. */
  next(): Range | undefined {
    if (this.isWhole) return undefined;
    return { after: this.last, upTo: this.hasTurned ? (this.served as string) : undefined, read: this.read };
  }

  /** Takes the answer. `isEnd`: there are no more in that range. */
  add({ read }: Range, names: readonly string[], isEnd: boolean): void {
    if (read !== this.read) return;
    this.read += 1;
    this.keys.push(...names);
    if (!this.hasTurned) this.ofLap += names.length;
    this.last = names.at(-1) ?? this.last;
    if (!isEnd) return;
    if (this.hasTurned || this.served === undefined) return this.complete();
    this.hasTurned = true;
    this.last = undefined;
    if (this.withNull) this.keys.push(null);
    if (this.served === null) this.complete();
  }

  private complete(): void {
    this.isWhole = true;
    this.turns = 0;
    this.readAt = this.now;
  }

  /** Whose turn it is. undefined: nobody's of those that are known. */
  serve(load: (key: TurnKey) => number, may: (key: TurnKey) => boolean): TurnKey | undefined {
    const place = choose(this.keys, load, may);
    if (place < 0) return undefined;
    const served = this.keys[place] as TurnKey;
    this.served = served;
    this.turns += 1;
    const passed = this.keys.splice(0, place + 1);
    this.ofLap -= passed.length;
    if (this.isWhole) {
      this.keys.push(...passed);
    } else if (this.ofLap < 0) {
      this.hasTurned = false;
      this.ofLap = this.keys.length;
    }
    return served;
  }

  /** It has no task that could start. */
  forget(key: TurnKey): void {
    if (!this.isWhole) return;
    this.keys = this.keys.filter((other) => other !== key);
    this.hasForgotten = true;
  }

  /** This process has made a task of it ready. */
  note(key: TurnKey): void {
    if (this.isWhole && !this.keys.includes(key)) this.keys.push(key);
  }
}
