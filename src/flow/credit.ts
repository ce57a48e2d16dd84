import type { Rate } from './settings.js';

/** What one start costs. The credit is kept in millionths of starts, rounded down, so that it never grows too fast. */
export const START = 1_000_000;

/** What is left of a rate. null: everything. */
export interface Credit {
  credit: number | null;
  /** When that was. */
  at: Date | null;
}

/** The credit at a time of the database's clock, which may have been set back. */
export function creditAt({ max, per, burst }: Rate, { credit, at }: Credit, now: Date): number {
  const full = burst * START;
  if (credit === null || at === null) return full;
  const elapsed = Math.max(0, now.getTime() - at.getTime());
  return Math.min(full, credit + Math.floor((max * elapsed * START) / (per * 1000)));
}

/** Milliseconds until the credit has a start. */
export const untilNext = ({ max, per }: Rate, credit: number): number =>
  Math.max(0, Math.ceil(((START - credit) * per * 1000) / (max * START)));
