/** A race that the script lost and would win if it ran again: its transaction is rolled back and tried again. */
export class Conflict extends Error {}

/**
 * What a database error means:
 * - `conflict`: the transaction lost against another one and may run again.
 * - `unavailable`: not now. The same statement may succeed later, unchanged.
 * - `too large`: the statement, or its answer, is larger than the database accepts.
 * - `refused`: a value breaks a rule of its column.
 * - `ours`: a defect of this package, of the schema or of the account. A client cannot fix it.
 */
export type Meaning = 'conflict' | 'unavailable' | 'too large' | 'refused' | 'ours';

/** By class of the SQLSTATE (its first two characters), which MySQL, MariaDB and PostgreSQL share. */
const CLASSES: Record<string, Meaning> = {
  '08': 'unavailable', // connection
  '22': 'refused', // a value does not fit its column
  '28': 'unavailable', // the account is refused
  '3D': 'unavailable', // the database is gone
  '40': 'conflict', // rolled back
  '53': 'unavailable', // disk, memory or connections are used up
  '54': 'too large', // program limits
  '57': 'unavailable', // cancelled, shutting down, starting up
  '58': 'unavailable', // input and output
  '70': 'unavailable', // MySQL: the statement was interrupted
  HY: 'unavailable', // MySQL: the server's own condition, with the exceptions below
};

/** SQLSTATEs whose meaning differs from their class. */
const STATES: Record<string, Meaning> = {
  '01000': 'refused', // MySQL 1265: data truncated
  '23505': 'refused',
  '23514': 'refused',
  '25006': 'unavailable', // read only, after a fail-over
  '25P03': 'unavailable', // idle in transaction for too long
  '25P04': 'unavailable', // transaction timeout
  '40003': 'unavailable', // the outcome is unknown
  '42P01': 'unavailable', // no such table: dropped, or not restored yet
  '42S02': 'unavailable', // the same in MySQL
  '55P03': 'conflict',
};

/** Numbers of MySQL and MariaDB whose meaning differs from their SQLSTATE. */
const NUMBERS: Record<number, Meaning> = {};
const name = (meaning: Meaning, ...numbers: number[]): void => numbers.forEach((each) => (NUMBERS[each] = meaning));
// Lock wait timeout, record changed, table definition changed, statement needs re-prepare, NOWAIT.
name('conflict', 1020, 1205, 1412, 1615, 3572);
// Unknown database, account's connections, account's resources, prepared statements.
name('unavailable', 1049, 1203, 1226, 1461);
// Packet, row size, result of a function over max_allowed_packet, binary log cache, placeholders.
name('too large', 1118, 1153, 1197, 1301, 1390, 1594);
// Duplicate, incorrect string or integer, CHECK in MySQL and in MariaDB.
name('refused', 1062, 1366, 3819, 4025);
// No default for a host's column, generated columns, definer, triggers, collations, variables, wrong arguments, views,
// binary logging of routines, binary logging by statement.
name(
  'ours',
  1093,
  1111,
  1193,
  1210,
  1221,
  1238,
  1267,
  1270,
  1271,
  1356,
  1364,
  1418,
  1419,
  1442,
  1449,
  1665,
  1906,
  3105,
);

/** By the beginning of the code, for errors of SQLite, of the drivers and of Node.js. */
const CODES: [RegExp, Meaning][] = [
  [/^SQLITE_(BUSY|LOCKED)/, 'conflict'],
  [/^SQLITE_(FULL|IOERR|NOMEM|CANTOPEN|READONLY|PROTOCOL|INTERRUPT)/, 'unavailable'],
  [/^SQLITE_TOOBIG/, 'too large'],
  [/^SQLITE_(MISMATCH|CONSTRAINT_(CHECK|UNIQUE|PRIMARYKEY|DATATYPE))/, 'refused'],
  [/^(PROTOCOL|HANDSHAKE|AUTH)_/, 'unavailable'],
  // Our own deadlines have no system call either (`Silence`).
  [/^E(TIMEDOUT|CONN|PIPE|HOST|NET|ADDR)/, 'unavailable'],
  [/^(ERR_(STREAM|SOCKET|TLS|SSL|OSSL)_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EAI_)/, 'unavailable'],
];

/** Messages of the drivers and of TypeORM that come without a code. */
const MESSAGES = new RegExp(
  [
    'connection terminated|connection timeout|connection ended|connection lost|timeout expired',
    'closed state|pool is closed|connection is closed|end on the pool|not queryable|query read timeout',
    'timeout exceeded when trying to connect|queue limit reached|no connections available',
    'support SSL connections|(DataSource|Connection) is not (set|initialized|established)|Driver not Connected',
    'Query runner already released',
  ].join('|'),
  'i',
);

/**
 * The fields of an error that we read. mysql2 sets errno, sqlState and fatal, pg a SQLSTATE as code, Node.js syscall.
 */
interface DriverError {
  code?: unknown;
  errno?: unknown;
  sqlState?: unknown;
  fatal?: unknown;
  syscall?: unknown;
  severity?: unknown;
}

/** The driver's own error. TypeORM's QueryFailedError keeps it in `driverError`. */
const driverErrorOf = (error: unknown): DriverError =>
  (error as { driverError?: DriverError } | undefined)?.driverError ?? ((error ?? {}) as DriverError);

export function meaningOf(error: unknown): Meaning {
  if (error instanceof Conflict) return 'conflict';
  const cause = driverErrorOf(error);
  const code = String(cause.code ?? '');
  const fromMysql = typeof cause.sqlState === 'string' && typeof cause.errno === 'number';
  if (fromMysql) {
    const known = NUMBERS[cause.errno as number];
    if (known) return known;
  }
  // MySQL may refuse a connection without a SQLSTATE.
  const state = fromMysql ? (cause.sqlState as string) || 'HY000' : /^[0-9A-Z]{5}$/.test(code) ? code : '';
  const byState = STATES[state] ?? CLASSES[state.slice(0, 2)];
  if (byState) return byState;
  const byCode = CODES.find(([pattern]) => pattern.test(code))?.[1];
  if (byCode) return byCode;
  // A fatal error ends its connection, and an error of a system call came from the network or the disk.
  if (cause.fatal === true || typeof cause.syscall === 'string') return 'unavailable';
  if (cause.severity === 'FATAL' || cause.severity === 'PANIC') return 'unavailable';
  // Node.js collects the errors of a name's several addresses.
  if (error instanceof AggregateError && error.errors.length > 0) return meaningOf(error.errors[0]);
  return MESSAGES.test(error instanceof Error ? error.message : '') ? 'unavailable' : 'ours';
}

/**
 * The column whose value was refused, if the engine names it: MySQL and MariaDB ("… for column 'title' at row 1",
 * MariaDB also with database and table). PostgreSQL and SQLite name it for a column that must be unique.
 */
export function columnOf(error: unknown): string | undefined {
  const { message, detail } = driverErrorOf(error) as { message?: string; detail?: string };
  const [, path] =
    /.*\bcolumn ([`'].+[`']) at row \d+$/s.exec(message ?? '') ??
    /^Key \("?([^,"]+)"?\)=/.exec(detail ?? '') ??
    /^UNIQUE constraint failed: ([^,]+)$/.exec(message ?? '') ??
    [];
  return path
    ?.split(/[`'.]/)
    .filter((part) => part !== '')
    .at(-1);
}

/** A packet over `max_allowed_packet`. */
export const isPacket = (error: unknown): boolean => isCut(error) || driverErrorOf(error).errno === 1153;

/** The statement names a table or a column that the database does not have. */
export const isMissing = (error: unknown): boolean => {
  const { code, sqlState, message } = driverErrorOf(error) as DriverError & { message?: string };
  return (
    ['42P01', '42703', '42S02', '42S22'].includes(String(sqlState ?? code)) ||
    /^no such (table|column)/.test(message ?? '')
  );
};

/** The driver's or the system's code of a failure, such as ECONNREFUSED: it says what happened, and holds no secret. */
export const codeOf = (error: unknown): string | undefined => {
  const { code } = driverErrorOf(error instanceof AggregateError ? (error.errors[0] ?? error) : error);
  return /^[A-Z0-9_]{3,40}$/.test(String(code)) ? String(code) : undefined;
};

export const isConflict = (error: unknown): boolean => meaningOf(error) === 'conflict';

/**
 * MySQL and MariaDB often close the connection without an error if a packet is too large. The driver then sees a closed
 * connection, as if the server had been killed.
 */
export const isCut = (error: unknown): boolean => {
  const { code, fatal } = driverErrorOf(error);
  return fatal === true && ['EPIPE', 'ECONNRESET', 'PROTOCOL_CONNECTION_LOST'].includes(String(code));
};
