/** The fields of a driver's error. TypeORM keeps the driver's error in `driverError`. */
interface DriverError {
  /** The client reports that the connection is over. */
  fatal?: boolean;
  /** PostgreSQL: the severity that the server reports. */
  severity?: string;
  /** PostgreSQL: SQLSTATE. */
  code?: string;
  /** MySQL. */
  errno?: number;
  sqlState?: string;
}

/** MySQL, MariaDB: the server of this session accepts no writes now, or is shutting down. */
const OF_NO_USE = new Set([
  1047, // ER_UNKNOWN_COM_ERROR: Galera, a node without quorum
  1053, // ER_SERVER_SHUTDOWN
  1290, // ER_OPTION_PREVENTS_STATEMENT: read_only, super_read_only
  1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836, // ER_READ_ONLY_MODE
  1927, // ER_CONNECTION_KILLED (MariaDB)
  3100, // ER_RUN_HOOK_ERROR: Group Replication, a member that was expelled
  3101, // ER_TRANSACTION_ROLLBACK_DURING_COMMIT
  3168, // ER_SERVER_ISNT_AVAILABLE
  3169, // ER_SESSION_WAS_KILLED
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
]);

/**
 * Whether a session is unusable after this error although a new one may work: the server has become read-only, the
 * session was killed, the connection is dead, or answers make no sense. Such a connection is discarded and never
 * pooled. After any other error that the server returns for a statement, the session is still usable.
 */
export function endsSession(error: unknown): boolean {
  const { driverError } = (error ?? {}) as { driverError?: unknown };
  const { fatal, severity, code, errno, sqlState } = (driverError ?? error ?? {}) as DriverError;
  if (fatal) return true;
  // PostgreSQL: FATAL and PANIC end the session. 25006 says that the server, or the database, is read-only.
  if (severity !== undefined) return severity !== 'ERROR' || /^(08...|57P..|25006)$/.test(code ?? '');
  if (sqlState !== undefined) return OF_NO_USE.has(errno ?? 0) || sqlState.startsWith('08');
  // Not an answer of a server: a deadline, a socket, or the driver.
  return true;
}
