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
