import { raw } from 'sql-template-tag';
import type { EntityManager } from 'typeorm';
import { type FieldProblem, TaskError } from '../contract/errors.js';
import { DEADLINES } from './deadlines.js';
import { isConflict, columnOf, isCut, isPacket, meaningOf } from './failure-classes.js';
import { LARGE_CHARS, sizeNoted } from './packets.js';
import { type Script, select } from './transaction.js';

/** Runs scripts. One implementation for engines with a pool, one for SQLite. */
export interface Database {
  /** Transactions run one after the other, across all callers. */
  readonly oneWriter: boolean;
  /** Tries a script once in its own transaction. Committed if this resolves, rolled back if it rejects. */
  attempt<T>(script: () => Script<T>): Promise<T>;
  /** Runs a script of reads without a transaction. */
  read<T>(script: () => Script<T>): Promise<T>;
  /** Runs a script inside the caller's transaction. */
  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T>;
  /** Rejects if a script that writes, and leaves nothing behind, cannot run now. */
  check(script: () => Script<void>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Runs a script to its commit. A deadlock or lock timeout rolls back the whole transaction, so the whole script runs
 * again after a pause with jitter, for up to 10 s. A client never sees a deadlock. UNAVAILABLE if the database cannot
 * be reached, or if somebody keeps a row locked for longer. TOO_LARGE and INVALID_PARAM if the database can never take
 * a value.
 */
export async function transaction<T>(database: Database, script: () => Script<T>): Promise<T> {
  const deadline = Date.now() + DEADLINES.retries;
  for (let attempt = 1, cuts = 0; ; attempt++) {
    try {
      return await database.attempt(script);
    } catch (error) {
      // If a connection is cut twice under the same load, and the server answers in between, the load is the reason.
      if (await mayBeTooLarge(database, error)) {
        if (++cuts === 2) throw new TaskError('TOO_LARGE', [tooLarge(error)], { cause: error });
        continue;
      }
      if (!isConflict(error) || Date.now() > deadline) throw translated(error);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(5 * 2 ** attempt, 500)));
    }
  }
}

/** Runs a script of reads. Failures are translated in the same way. */
export async function reading<T>(database: Database, script: () => Script<T>): Promise<T> {
  try {
    return await database.read(script);
  } catch (error) {
    throw translated(error);
  }
}

/** Bytes of the statements without their values. */
const STATEMENT_BYTES = 64_000;
/** The most bytes that one UTF-16 code unit takes, in UTF-8 or escaped. */
const BYTES_PER_CHAR = 3;

/**
 * Whether a connection may have been cut because its packet was too large: MySQL and MariaDB often close it without an
 * error. If the server does not answer now, the reason is another one.
 */
async function mayBeTooLarge(database: Database, error: unknown): Promise<boolean> {
  const chars = sizeNoted(error);
  if (!isCut(error) || chars < LARGE_CHARS) return false;
  const statement = raw('SELECT @@max_allowed_packet AS bytes');
  const [row] = await database.read(() => select<{ bytes: unknown }>(statement)).catch(() => []);
  return row !== undefined && chars * BYTES_PER_CHAR + STATEMENT_BYTES > Number(row.bytes);
}

/** The error for the client. An error of our own code stays as it is, for the log. */
function translated(cause: unknown): unknown {
  switch (meaningOf(cause)) {
    case 'conflict':
    case 'unavailable':
      return new TaskError('UNAVAILABLE', undefined, { cause });
    case 'too large':
      return new TaskError('TOO_LARGE', [tooLarge(cause)], { cause });
    case 'refused':
      return new TaskError('INVALID_PARAM', [refused(cause)], { cause });
    case 'ours':
      return cause;
  }
}

const tooLarge = (cause: unknown): FieldProblem => ({
  field: 'body',
  rule: 'databaseSize',
  msg:
    'the database accepts no statement or row of this size; send or request fewer or smaller tasks at once' +
    (isPacket(cause) ? ', or raise max_allowed_packet of the database server' : ''),
});

function refused(cause: unknown): FieldProblem {
  const msg = 'the database refused a value for its column (length, range, check or uniqueness); send another value';
  return { field: columnOf(cause) ?? 'body', rule: 'column', msg };
}
