/**
 * The two times of the legacy schema. They are kept as the table has them, because a Laravel application may read them.
 */
export const LOCAL_TIME_COLUMNS = ['created_at', 'updated_at'] as const;
export type LocalTimeColumn = (typeof LOCAL_TIME_COLUMNS)[number];

/** How a table keeps one of the two times. */
export interface StoredTime {
  /** Minutes by which the stored value is ahead of UTC. 0 if the type has a zone. */
  offsetMinutes: number;
  /** Digits of a second, 0 to 3. Finer digits are cut off before the time is written or answered. */
  digits: number;
  /**
   * The type has a zone: MySQL's `timestamp`, which each session sees in its own zone, and PostgreSQL's `timestamptz`.
   */
  zoned: boolean;
}
export type StoredTimes = Readonly<Record<LocalTimeColumn, StoredTime>>;

export const isLocalTimeColumn = (column: string): column is LocalTimeColumn =>
  (LOCAL_TIME_COLUMNS as readonly string[]).includes(column);

/** Both times kept in the same way. */
export const bothTimes = (time: StoredTime): StoredTimes => ({ created_at: time, updated_at: time });

/** Cuts off the digits that the column would round, because rounding may give a time in the future. */
export function cutTime(time: Date, { digits }: StoredTime): Date {
  if (digits >= 3) return time;
  const unit = 10 ** (3 - digits);
  return new Date(Math.floor(time.getTime() / unit) * unit);
}

/** MySQL: the value of a `timestamp` column in UTC, independent of the session's zone. */
export const utcOfTimestamp = (column: string): string =>
  `(TIMESTAMP'1970-01-01 00:00:00' + INTERVAL UNIX_TIMESTAMP(${column}) SECOND)`;
