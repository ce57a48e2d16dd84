import type { TaskStatusCatalogue } from '../../contract/status.js';
import type { Engine } from './dialect.js';

/** Earlier than any time that a row can hold. */
const EARLIEST: Record<Engine, string> = {
  mysql: "TIMESTAMP'1970-01-01 00:00:00'",
  // Not a date: PostgreSQL prints a date in the zone of the session.
  postgres: "'-infinity'::timestamp with time zone",
  sqlite: "'1970-01-01 00:00:00'",
};

/**
 * When a row must be moved. NULL for rows that wait for nothing. A running row without a lease is due at once: plain
 * SQL or a Laravel application took it, and the job in maintenance/move-due.ts gives it a lease. The index on this
 * expression only serves a query with exactly the same text.
 */
export function dueAt(
  engine: Engine,
  status: TaskStatusCatalogue,
  row = '',
  is = (value: number): string => `${row}status = ${value}`,
): string {
  const lease = `${row}lease_expires_at`;
  return (
    `CASE WHEN ${is(status.WAITING)} THEN ${row}run_at ` +
    `WHEN ${is(status.START)} THEN COALESCE(${lease}, ${EARLIEST[engine]}) ELSE ${lease} END`
  );
}
