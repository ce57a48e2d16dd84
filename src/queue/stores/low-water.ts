import type { Task } from '../../contract/task.entity.js';
import type { Place } from '../../database/dialects/dialect.js';

/** The tasks that a mark is for: of a service, or of one of its groups or owners, at one priority or at any. */
export interface Part {
  service: string;
  group?: string | null | undefined;
  owner?: string | null | undefined;
  priority?: number | undefined;
}

/** What is known of the ready tasks of one filter. */
interface Mark {
  /** As far as this process knows, no task before this place is ready. */
  place: Place | undefined;
  /**
   * Milliseconds that the last look at the front took. `restsUntil`: the time of our clock before which no new one is
   * needed.
   */
  took: number;
  restsUntil: number;
}

/**
 * A look at the front that takes at least `ms`, and at least `times` as long as the quickest, has probably met many
 * tombstones. Claims then begin at the mark for `rests` times the duration of that look.
 */
const SLOW = { ms: 5, times: 4, rests: 20 } as const;
/** Within this many milliseconds a ready task below a mark is found, also if another process made it ready. */
const REST = 1000;
/** If a look at the front takes less than this many milliseconds, it is worth it when nothing is above the mark. */
const WORTH = 50;
/** Filters that are remembered. */
const MARKS = 1000;

/**
 * The place in the order of claims before which no task is ready, as far as this process knows. Claimed rows stay in
 * the index as tombstones while any older snapshot exists, and a claim that begins at the front reads all of them.
 * Claims begin at the mark only while the front is slow. Below the mark there may be tasks that other processes or
 * plain SQL made ready, or that a rolled-back transaction gave back. The next look at the front finds them: within 1 s,
 * or as soon as nothing is above the mark.
 */
export class LowWater {
  /** By service, then by the part of it. */
  private readonly marks = new Map<string, Map<string, Mark>>();
  private count = 0;
  /** The quickest look at the front: one that met no tombstones. */
  private quickest = Infinity;

  /** Begins a look for ready tasks of a filter. */
  look(part: Part): Look {
    const key = keyOf(part);
    const mark = this.marks.get(part.service)?.get(key) ?? this.add(part.service, key);
    return new Look(mark, (took) => this.isSlow(took));
  }

  /** Called when this process has made a task ready. */
  lower({ service, group, userId, priority, createdAt }: Task): void {
    const marks = this.marks.get(service);
    if (!marks) return;
    const place = { priority, createdAt };
    lower(marks.get(WHOLE), place);
    // Mostly only whole services are claimed from.
    if (marks.size === 1 && marks.has(WHOLE)) return;
    for (const part of [{ group }, { group, priority }, { owner: userId, priority }])
      lower(marks.get(keyOf(part)), place);
  }

  private add(service: string, key: string): Mark {
    if (this.count >= MARKS) {
      this.marks.clear();
      this.count = 0;
    }
    const mark = { place: undefined, took: 0, restsUntil: 0 };
    const marks = this.marks.get(service);
    if (marks) marks.set(key, mark);
    else this.marks.set(service, new Map([[key, mark]]));
    this.count += 1;
    return mark;
  }

  private isSlow(took: number): boolean {
    this.quickest = Math.min(this.quickest, took);
    return took >= SLOW.ms && took >= this.quickest * SLOW.times;
  }
}

/** One look for ready tasks. */
export class Look {
  private readonly begun: Place | undefined;

  constructor(
    private readonly mark: Mark,
    private readonly isSlow: (took: number) => boolean,
  ) {
    this.begun = mark.place;
  }

  /** Where the look begins. undefined: at the front. */
  get start(): Place | undefined {
    return performance.now() < this.mark.restsUntil ? this.begun : undefined;
  }

  /** Whether to continue at the front if nothing was above the mark. */
  get mayTurn(): boolean {
    return this.mark.took < WORTH || performance.now() >= this.mark.restsUntil;
  }

  /** The look was at the front and took this many milliseconds. */
  tookAtFront(took: number): void {
    this.mark.took = took;
    this.mark.restsUntil = this.isSlow(took) ? performance.now() + Math.min(took * SLOW.rests, REST) : 0;
  }

  /** The look took every task up to this place. It may have missed tasks that others made ready or found meanwhile. */
  reached(last: Place): void {
    const { mark, begun } = this;
    mark.place = mark.place === begun ? last : lowest(mark.place, last);
  }
}

const time = ({ createdAt }: Place): number => createdAt?.getTime() ?? -Infinity;

/** The order of claims, without the ids. */
export const byPlace = (a: Place, b: Place): number => a.priority - b.priority || Math.sign(time(a) - time(b)) || 0;

const lowest = (a: Place | undefined, b: Place): Place => (!a || byPlace(b, a) < 0 ? b : a);

function lower(mark: Mark | undefined, to: Place): void {
  if (mark) mark.place = lowest(mark.place, to);
}

/** The key of all tasks of a service. */
const WHOLE = '';

/** `0`: any group, any owner, any priority. They are strings otherwise, or null; a priority is in a list. */
function keyOf({ group, owner, priority }: Omit<Part, 'service'>): string {
  if (group === undefined && owner === undefined && priority === undefined) return WHOLE;
  const orAny = (value: string | null | undefined): unknown => (value === undefined ? 0 : value);
  return JSON.stringify([orAny(group), orAny(owner), priority === undefined ? 0 : [priority]]);
}
