import { utcOfTimestamp } from '../stored-time.js';

/**
 * `created_at` as a ready row keeps it on MySQL and MariaDB: in milliseconds, also if the task's time is finer. A row without a
 * creation time counts as oldest. The key must be the same when any other session removes the row, so a `timestamp` is
 * written in UTC.
 */
export const readyCreatedAt = (isZoned: boolean, row = ''): string => {
  const column = `${row}created_at`;
  return `CAST(COALESCE(${isZoned ? utcOfTimestamp(column) : column}, TIMESTAMP'1970-01-01 00:00:00') AS DATETIME(3))`;
};
