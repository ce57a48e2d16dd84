import { isLocalTimeColumn, isTimeColumn } from './dialect.js';
import type { Cell } from './rows.js';

/** A time by the database's clock: as a value of a time column, so many seconds from when the statement runs. */
export class FromNow {
  constructor(readonly seconds: number) {}
}

export const fromNow = (seconds: number): FromNow => new FromNow(seconds);
export const NOW = fromNow(0);

/** UTC as MySQL and SQLite write it; no session's time zone has a say in it. */
export const utcText = (time: Date): string => time.toISOString().slice(0, 23).replace('T', ' ');

/** As a wall clock so many minutes ahead of UTC shows it. */
export const shifted = (time: Date, minutes: number): Date =>
  minutes === 0 ? time : new Date(time.getTime() + minutes * 60_000);

/**
 * How cells of these columns are written: times of ours by `text`, those of the original in the table's own offset, and
 * everything else as it is. The rows of a batch are full of the same times: each is written once.
 */
export function cellWriter(
  columns: string[],
  text: (time: Date) => string,
  offsetMinutes = 0,
): (cell: Cell, column: number) => Cell {
  const kinds = columns.map((column) => ({ isTime: isTimeColumn(column), isLocal: isLocalTimeColumn(column) }));
  const known = new Map<number, string>();
  return (cell, column) => {
    const { isTime, isLocal } = kinds[column]!;
    if (!isTime || !(cell instanceof Date)) return cell;
    const time = isLocal ? shifted(cell, offsetMinutes) : cell;
    let written = known.get(time.getTime());
    if (written === undefined) known.set(time.getTime(), (written = text(time)));
    return written;
  };
}
