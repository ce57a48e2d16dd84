import type { DataSource, QueryRunner } from 'typeorm';
import { engineOf } from './engine.js';

/** The oldest releases with what the queue needs. SKIP LOCKED is the newest of these features. */
const OLDEST: Record<string, number[]> = {
  // 8.0.17 has the first collation that compares bytes and does not pad: utf8mb4_0900_bin.
  MySQL: [8, 0, 17],
  MariaDB: [10, 6],
  PostgreSQL: [13],
  SQLite: [3, 38],
};

/** Why this database cannot hold the queue. undefined if it can. */
export async function engineProblem(dataSource: DataSource, runner: QueryRunner): Promise<string | undefined> {
  const engine = engineOf(dataSource);
  const supported = 'use MySQL 8.0.17+, MariaDB 10.6+, PostgreSQL 13+ or SQLite 3.38+ (TypeORM type better-sqlite3)';
  if (!engine) return `TypeORM type '${dataSource.options.type}' is not supported; ${supported}`;
  const [row] = (await runner.query(
    engine === 'sqlite' ? 'SELECT sqlite_version() AS v' : 'SELECT version() AS v',
  )) as {
    v: string;
  }[];
  const version = row!.v;
  if (/tidb/i.test(version))
    return `TiDB accepts SKIP LOCKED and ignores it, so workers would get tasks twice (${version}); ${supported}`;
  const name =
    engine === 'sqlite'
      ? 'SQLite'
      : engine === 'postgres'
        ? 'PostgreSQL'
        : /mariadb/i.test(version)
          ? 'MariaDB'
          : 'MySQL';
  if (older(version, OLDEST[name]!)) return `${name} ${version} is too old; ${supported}`;
  if (engine === 'mysql') return (await charsetProblem(runner)) ?? binlogProblem(runner);
  if (engine === 'postgres') return encodingProblem(runner);
  return undefined;
}

function older(version: string, oldest: number[]): boolean {
  // "PostgreSQL 15.20 (Debian…)", "10.11.19-MariaDB", and the old form of MariaDB, "5.5.5-10.6.1-MariaDB".
  const [digits = '0'] = /\d+(\.\d+)*/.exec(version.replace(/^5\.5\.5-/, '')) ?? [];
  const parts = digits.split('.').map(Number);
  for (const [index, minimum] of oldest.entries()) {
    const part = parts[index] ?? 0;
    if (part !== minimum) return part < minimum;
  }
  return false;
}

async function charsetProblem(runner: QueryRunner): Promise<string | undefined> {
  const [row] = (await runner.query('SELECT @@character_set_client AS charset')) as { charset: string }[];
  if (row!.charset === 'utf8mb4') return undefined;
  return `the connection uses charset ${row!.charset}, which loses characters; set charset: 'utf8mb4' in the data source`;
}

/** PostgreSQL refuses characters that its encoding lacks. With SQL_ASCII it stores bytes without checking them. */
async function encodingProblem(runner: QueryRunner): Promise<string | undefined> {
  const [row] = (await runner.query(
    `SELECT current_database() AS name, current_setting('server_encoding') AS server, current_setting('client_encoding') AS client`,
  )) as { name: string; server: string; client: string }[];
  const { name, server, client } = row!;
  if (server !== 'UTF8')
    return (
      `the database ${name} has encoding ${server}, which cannot hold every character; create one with ` +
      `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and move the tables there`
    );
  if (client !== 'UTF8')
    return `the connection uses encoding ${client}, which loses characters; remove client_encoding from the data source`;
  return undefined;
}

/** Statement-based binary logging refuses READ COMMITTED (error 1665), which claims need. */
async function binlogProblem(runner: QueryRunner): Promise<string | undefined> {
  const rows = (await runner.query("SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')")) as {
    Variable_name: string;
    Value: string;
  }[];
  const value = (name: string) => rows.find((row) => row.Variable_name === name)?.Value;
  if (value('log_bin') !== 'ON' || value('binlog_format') !== 'STATEMENT') return undefined;
  return 'statement-based binary logging refuses READ COMMITTED; set binlog_format = ROW on the server';
}

/**
 * Tests SKIP LOCKED on two connections, because an engine that parses and ignores it would give tasks to workers twice.
 * `row` selects one existing row. undefined if all is well.
 */
export async function skipLockedProblem(dataSource: DataSource, row: string): Promise<string | undefined> {
  if (engineOf(dataSource) === 'sqlite') return undefined;
  if (poolSize(dataSource) === 1)
    return 'its pool has one connection and the queue needs two; set poolSize to 2 or more';
  const [first, second] = await twoTransactions(dataSource);
  try {
    const locked = (await first.query(`${row} FOR UPDATE SKIP LOCKED`)) as unknown[];
    const seen = (await second.query(`${row} FOR UPDATE SKIP LOCKED`)) as unknown[];
    return locked.length > 0 && seen.length > 0
      ? 'this engine accepts SKIP LOCKED and ignores it, so workers would get tasks twice; use another engine'
      : undefined;
  } catch (error) {
    // An account that may not lock this row (least privilege) skips the test.
    if (isDenied(error)) return undefined;
    throw error;
  } finally {
    await end(first);
    await end(second);
  }
}

/**
 * Opens two transactions. Registrations share a pool, and servers share a pooler that lends a connection per
 * transaction: if each holds one and waits for its second, none continues. So one that waits too long returns its first
 * connection.
 */
async function twoTransactions(dataSource: DataSource): Promise<[QueryRunner, QueryRunner]> {
  for (;;) {
    const [first, second] = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
    try {
      await first.startTransaction();
      const opening = second.startTransaction();
      // It is awaited below in any case.
      opening.catch(() => undefined);
      if (await settles(opening, 100 + Math.random() * 400)) {
        await opening;
        return [first, second];
      }
      await end(first);
      await opening;
    } catch (error) {
      await end(first);
      await end(second);
      throw error;
    }
    await end(second);
    await sleep(Math.random() * 400);
  }
}

const sleep = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether the work settles within this many milliseconds. */
const settles = (work: Promise<unknown>, ms: number): Promise<boolean> => {
  const done = (): boolean => true;
  return Promise.race([work.then(done, done), sleep(ms).then(() => false)]);
};

async function end(runner: QueryRunner): Promise<void> {
  if (runner.isReleased) return;
  // A connection that is gone has rolled back on its own.
  if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
  await runner.release();
}

/** MySQL: ER_TABLEACCESS_DENIED_ERROR. PostgreSQL: insufficient_privilege. */
const isDenied = (error: unknown): boolean => {
  const { errno, code } = (error as { driverError?: { errno?: number; code?: string } }).driverError ?? {};
  return errno === 1142 || code === '42501';
};

/** The pool size, as far as the options name it. The driver's own setting wins over TypeORM's. */
function poolSize(dataSource: DataSource): number | undefined {
  const { poolSize: size, extra } = dataSource.options as { poolSize?: number; extra?: Record<string, number> };
  return extra?.connectionLimit ?? extra?.max ?? size;
}
