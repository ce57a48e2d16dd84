/** A race that a script lost and would win if it ran again: its transaction is undone and tried anew. */
export class Conflict extends Error {}

/** Transactions that lost against another and may be run again: MySQL, PostgreSQL (SQLSTATE), SQLite. */
const CONFLICTS = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
  '40001',
  '40P01',
  '55P03',
  'SQLITE_BUSY',
]);

/** The database can't be reached or takes nobody in just now. SQLSTATE classes 08 and 57P are matched below. */
const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_ENQUEUE_AFTER_QUIT',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_OPTION_PREVENTS_STATEMENT',
  '53300',
  '25006',
]);

const MESSAGES =
  /connection terminated|connection timeout|connection ended|closed state|pool is closed|timeout exceeded when trying to connect|Connection lost|not queryable|DataSource is not (set|initialized)|Driver not Connected|Query runner already released/i;

/** The driver's code, which TypeORM's QueryFailedError keeps on the error itself or on `driverError`. */
function codeOf(error: unknown): string {
  const { code, driverError } = (error ?? {}) as { code?: unknown; driverError?: { code?: unknown } };
  return String(driverError?.code ?? code ?? '');
}

export const isConflict = (error: unknown): boolean => {
  if (error instanceof Conflict) return true;
  const code = codeOf(error);
  // Extended SQLite codes (SQLITE_BUSY_SNAPSHOT, …) begin with the plain one.
  return CONFLICTS.has(code) || code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
};

export const isUnavailable = (error: unknown): boolean => {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : '';
  return UNAVAILABLE.has(code) || /^(08...|57P..)$/.test(code) || MESSAGES.test(message);
};
