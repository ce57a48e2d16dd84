import { isTimeColumn } from './dialects/dialect.js';
import type { Cell } from './rows.js';
import { isLocalTimeColumn, type StoredTime, type StoredTimes } from './stored-time.js';

/** A time by the database's clock, as the value of a time column: this many seconds after the statement runs. */
export class FromNow {
  constructor(readonly seconds: number) {}
}

export const fromNow = (seconds: number): FromNow => new FromNow(seconds);
export const NOW = fromNow(0);

/** UTC as MySQL and SQLite write it. No time zone of a session affects it. */
export const utcText = (time: Date): string => time.toISOString().slice(0, 23).replace('T', ' ');

/** The time as a wall clock shows it that is this many minutes ahead of UTC. */
export const shifted = (time: Date, minutes: number): Date =>
  minutes === 0 ? time : new Date(time.getTime() + minutes * 60_000);

/** Writes a time for one column. `stored` says how the table keeps the column. */
export type TimeWriter = (time: Date, stored?: StoredTime) => string;

/** A time as MySQL and SQLite write it, with the offset and the digits of its column. */
export const storedText: TimeWriter = (time, stored) =>
  stored ? utcText(shifted(time, stored.offsetMinutes)).slice(0, stored.digits === 0 ? 19 : 23) : utcText(time);

/**
 * Writes the cells of these columns: times by `text`, other values as they are. Rows that are written together mostly
 * have the same times, so each time is written once.
 */
export function cellWriter(
  columns: string[],
  text: TimeWriter,
  times: StoredTimes,
): (cell: Cell, column: number) => Cell {
  const writers = columns.map((column) => {
    if (!isTimeColumn(column)) return undefined;
    const stored = isLocalTimeColumn(column) ? times[column] : undefined;
    const known = new Map<number, string>();
    return (time: Date): string => {
      let written = known.get(time.getTime());
      if (written === undefined) known.set(time.getTime(), (written = text(time, stored)));
      return written;
    };
  });
  return (cell, column) => (cell instanceof Date ? (writers[column]?.(cell) ?? cell) : cell);
}
