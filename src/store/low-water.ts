import type { Task } from '../contract/task.entity.js';

/** A place in the order of claims, ids apart. */
export interface Place {
  priority: number;
  /** null comes first. */
  createdAt: Date | null;
}

/** What is known of the ready tasks of one filter. */
interface Mark {
  /** Below it nothing is ready, as far as we know. */
  place: Place | undefined;
  /** How long the last look at the front took, in milliseconds, and until when of our own clock there needn't be another. */
  took: number;
  restsUntil: number;
}

/**
 * A look at the front that takes `ms` or longer, and `times` as long as the quickest, may meet many tombstones: claims
 * begin at the mark `rests` times as long.
 */
const SLOW = { ms: 5, times: 4, rests: 20 } as const;
/** Milliseconds after which what is ready below a mark is found at the latest, whoever made it so. */
const REST = 1000;
/** Milliseconds that a look at the front may take, and still be worth it where there is nothing above the mark. */
const WORTH = 50;
/** Filters that are remembered. */
const MARKS = 1000;

/**
 * Below which place in the order of claims nothing is ready, as far as this process knows. What was claimed stays in
 * the index as a tombstone while any snapshot is older, and whoever begins at the front wades through all of them.
 * Claims begin at the mark while the front is slow, and only then: what other processes and plain SQL make ready below
 * it, and what a transaction that was undone gives back, is found by the next look at the front, within a second, or as
 * soon as there is nothing above the mark.
 */
export class LowWater {
  private readonly marks = new Map<string, Mark>();
  /** The quickest look at the front, which no tombstones slowed down. */
  private quickest = Infinity;

  /** Begins to look for ready tasks of a filter. */
  look(service: string, group: string | undefined): Look {
    const key = keyOf(service, group);
    let mark = this.marks.get(key);
    if (!mark) {
      if (this.marks.size >= MARKS) this.marks.clear();
      this.marks.set(key, (mark = { place: undefined, took: 0, restsUntil: 0 }));
    }
    return new Look(mark, (took) => this.isSlow(took));
  }

  /** This process made a task ready. */
  lower({ service, group, priority, createdAt }: Task): void {
    for (const key of new Set([keyOf(service, undefined), keyOf(service, group ?? undefined)])) {
      const mark = this.marks.get(key);
      if (mark) mark.place = lowest(mark.place, { priority, createdAt });
    }
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

  /** Where it begins; undefined: at the front. */
  get start(): Place | undefined {
    return performance.now() < this.mark.restsUntil ? this.begun : undefined;
  }

  /** Whether to go on at the front, where there was nothing above the mark. */
  get mayTurn(): boolean {
    return this.mark.took < WORTH || performance.now() >= this.mark.restsUntil;
  }

  /** It was one at the front, and took so many milliseconds. */
  tookAtFront(took: number): void {
    this.mark.took = took;
    this.mark.restsUntil = this.isSlow(took) ? performance.now() + Math.min(took * SLOW.rests, REST) : 0;
  }

  /** It took everything up to this place. What was made ready or found meanwhile, by others, it need not have met. */
  reached(last: Place): void {
    const { mark, begun } = this;
    mark.place = mark.place === begun ? last : lowest(mark.place, last);
  }
}

const time = ({ createdAt }: Place): number => createdAt?.getTime() ?? -Infinity;

function lowest(a: Place | undefined, b: Place): Place {
  if (!a || b.priority < a.priority) return b;
  return b.priority === a.priority && time(b) < time(a) ? b : a;
}

const keyOf = (service: string, group: string | undefined): string => JSON.stringify([service, group]);
