import type { DataSource, EntityManager } from 'typeorm';
import { TaskError } from '../contract/errors.js';
import { engineOf } from './engine.js';
import { isConflict, isUnavailable } from './failures.js';
import { PooledDatabase } from './pooled.database.js';
import { SqliteDatabase } from './sqlite.database.js';
import type { Script } from './transaction.js';

/** Runs scripts. One implementation for engines with a pool, one for SQLite. */
export interface Database {
  /** Transactions run one after the other, whoever begins them. */
  readonly oneWriter: boolean;
  /** One try at a script in a transaction of its own: committed when this resolves, undone when it rejects. */
  attempt<T>(script: () => Script<T>): Promise<T>;
  /** A script of reads, without a transaction. */
  read<T>(script: () => Script<T>): Promise<T>;
  /** A script inside the caller's own transaction. */
  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T>;
  close(): Promise<void>;
}

/** Milliseconds after which a transaction that goes on losing is given up. */
const PATIENCE = 10_000;

export async function openDatabase(dataSource: DataSource): Promise<Database> {
  return engineOf(dataSource) === 'sqlite' ? new SqliteDatabase(dataSource) : PooledDatabase.open(dataSource);
}

/**
 * Runs a script to its commit. A deadlock or a lock timeout undoes the whole transaction, so the whole script runs
 * again, after a pause with jitter, for ten seconds; a client never sees one. A database that can't be reached, or where
 * somebody keeps a row locked for longer, is UNAVAILABLE.
 */
export async function transaction<T>(database: Database, script: () => Script<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.attempt(script);
    } catch (error) {
      if (!isConflict(error) || Date.now() > deadline) throw translated(error);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(5 * 2 ** attempt, 500)));
    }
  }
}

/** Reads, with the same translation of failures. */
export async function reading<T>(database: Database, script: () => Script<T>): Promise<T> {
  try {
    return await database.read(script);
  } catch (error) {
    throw translated(error);
  }
}

const translated = (cause: unknown): unknown =>
  isUnavailable(cause) || isConflict(cause) ? new TaskError('UNAVAILABLE', undefined, { cause }) : cause;
