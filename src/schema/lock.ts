import { Logger } from '@nestjs/common';
import type { QueryRunner } from 'typeorm';
import { engineOf } from '../database/engine.js';
import { isConflict } from '../database/failure-classes.js';
import { GaleraLock } from './galera.lock.js';

/** Seconds to wait for another process's migration: adopting a large table copies it. */
const LOCK_SECONDS = 3600;
/** Seconds until the log says what the start waits for, and seconds until it says so again. */
const TELL_SECONDS = 5;
const TELL_AGAIN_SECONDS = 60;

/** The connection is gone, and the lock with it: the first error is the one to report. */
const ignore = (): void => undefined;

/** Runs work while no other process does the same on this ledger. */
export async function locked<T>(runner: QueryRunner, ledger: string, work: () => Promise<T>): Promise<T> {
  const engine = engineOf(runner.connection);
  const lock = engine === 'mysql' ? byName : engine === 'postgres' ? byTransaction : byFile;
  const { take, keep, giveUp } = lock(runner, ledger);
  await patiently(ledger, take);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await giveUp().catch(ignore);
    throw error;
  }
  await keep();
  return result;
}

interface Lock {
  /** Tries once and does not wait, so that the server's limit on statement times cannot end our wait. */
  take(): Promise<boolean>;
  /** Releases the lock, and keeps what was done under it. */
  keep(): Promise<unknown>;
  /** Releases the lock, and undoes what was done under it if the engine can. */
  giveUp(): Promise<unknown>;
}

/**
 * MySQL and MariaDB commit every DDL at once, so the lock belongs to the session, and on Galera also to the cluster.
 */
function byName(runner: QueryRunner, ledger: string): Lock {
  // Locks belong to the server, not to a database, and their names have at most 64 characters.
  const name = `CONCAT('softdd_task:', LEFT(SHA2(CONCAT(DATABASE(), '.', ?), 256), 40))`;
  let cluster: GaleraLock | undefined;
  const unname = () => runner.query(`SELECT RELEASE_LOCK(${name})`, [ledger]).catch(ignore);
  const release = async () => {
    await cluster?.giveBack().catch(ignore);
    await unname();
  };
  return {
    async take() {
      const [row] = (await runner.query(`SELECT GET_LOCK(${name}, 0) AS locked`, [ledger])) as { locked: unknown }[];
      if (Number(row?.locked) !== 1) return false;
      let taken = false;
      try {
        cluster ??= await GaleraLock.create(runner, ledger);
        return (taken = (await cluster?.take()) ?? true);
      } finally {
        if (!taken) await unname();
      }
    },
    keep: release,
    giveUp: release,
  };
}

/**
 * The lock is the migration's transaction, and everything runs in it: behind a pooler in transaction mode, a lock of
 * the session would stay on the backend that took it.
 */
function byTransaction(runner: QueryRunner, ledger: string): Lock {
  return {
    async take() {
      await runner.startTransaction();
      const [row] = (await runner.query('SELECT pg_try_advisory_xact_lock(hashtext($1)) AS locked', [
        `softdd_task:${ledger}`,
      ])) as { locked: boolean }[];
      if (!row!.locked) await runner.rollbackTransaction();
      // A limit for queries would end the adoption of a large table. This setting ends with the transaction.
      else
        await runner.query(
          `SELECT set_config(name, '0', true) FROM pg_settings
          WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`,
        );
      return row!.locked;
    },
    keep: () => runner.commitTransaction(),
    giveUp: () => runner.rollbackTransaction(),
  };
}

/** TypeORM shares one connection: a second registration, or the host, has a transaction open on it. */
const isNested = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('cannot start a transaction within a transaction');

/** SQLite's lock is its transaction. */
function byFile(runner: QueryRunner): Lock {
  return {
    async take() {
      try {
        await runner.query('BEGIN IMMEDIATE');
        return true;
      } catch (error) {
        if (isConflict(error) || isNested(error)) return false;
        throw error;
      }
    },
    keep: () => runner.query('COMMIT'),
    giveUp: () => runner.query('ROLLBACK'),
  };
}

/** Tries again until it succeeds, and logs what it waits for. */
async function patiently(ledger: string, take: () => Promise<boolean>): Promise<void> {
  const start = Date.now();
  let tell = TELL_SECONDS;
  while (!(await take())) {
    const seconds = Math.round((Date.now() - start) / 1000);
    const what = `another process migrates the database (it holds the lock on ${ledger})`;
    if (seconds >= LOCK_SECONDS)
      throw new Error(`Gave up after ${seconds} s, because ${what}. Wait until it has ended, and start again.`);
    if (seconds >= tell) {
      tell = seconds + TELL_AGAIN_SECONDS;
      new Logger('TaskModule').warn(`The start waits: ${what}; ${seconds} s of at most ${LOCK_SECONDS} s so far.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 200));
  }
}
