import type { Task } from '../contract/task.entity.js';

/** A place in the order of claims, ids apart. */
export interface Place {
  priority: number;
  /** null comes first. */
  createdAt: Date | null;
}

/** What is known of the ready tasks of one filter. Times are milliseconds of the process's own clock. */
export interface Mark {
  /** Below it nothing is ready; undefined: unknown. */
  place: Place | undefined;
  /** The lowest task that was made ready since a look began, which that look need not have met. */
  low: Place | undefined;
  /** How long the last look at the front took, and until when there needn't be another. */
  took: number;
  restsUntil: number;
}

/** A look at the front that takes `ms` or longer may meet many tombstones: claims begin at the mark `times` as long. */
const SLOW = { ms: 5, times: 20 } as const;
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
 * it is found by the next look at the front, within a second, or as soon as there is nothing above the mark.
 */
export class LowWater {
  private readonly marks = new Map<string, Mark>();

  /** The mark of a filter, for a look that begins now. */
  mark(service: string, group: string | undefined): Mark {
    const key = keyOf(service, group);
    let mark = this.marks.get(key);
    if (!mark) {
      if (this.marks.size >= MARKS) this.marks.clear();
      this.marks.set(key, (mark = { place: undefined, low: undefined, took: 0, restsUntil: 0 }));
    }
    mark.low = undefined;
    return mark;
  }

  /** This process made a task ready. */
  lower({ service, group, priority, createdAt }: Task): void {
    const place = { priority, createdAt };
    for (const key of new Set([keyOf(service, undefined), keyOf(service, group ?? undefined)])) {
      const mark = this.marks.get(key);
      if (!mark) continue;
      mark.low = lowest(mark.low, place);
      if (mark.place) mark.place = lowest(mark.place, place);
    }
  }
}

/** Where a look begins; undefined: at the front. */
export const startOf = ({ place, restsUntil }: Mark): Place | undefined =>
  performance.now() < restsUntil ? place : undefined;

/** Whether to look at the front, where there was nothing above the mark. */
export const mayRescan = ({ took, restsUntil }: Mark): boolean => took < WORTH || performance.now() >= restsUntil;

/** A look at the front, begun at `since`, is over. */
export function rescanned(mark: Mark, since: number): void {
  const now = performance.now();
  mark.took = now - since;
  mark.restsUntil = mark.took < SLOW.ms ? 0 : now + Math.min(mark.took * SLOW.times, REST);
}

/** Everything below the last of these is taken, or was made ready meanwhile. */
export function raise(mark: Mark, last: Place): void {
  mark.place = mark.low ? lowest(mark.low, last) : last;
}

const time = ({ createdAt }: Place): number => createdAt?.getTime() ?? -Infinity;

function lowest(a: Place | undefined, b: Place): Place {
  if (!a || b.priority < a.priority) return b;
  return b.priority === a.priority && time(b) < time(a) ? b : a;
}

const keyOf = (service: string, group: string | undefined): string => JSON.stringify([service, group]);
