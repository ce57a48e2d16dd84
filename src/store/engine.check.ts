import type { DataSource, QueryRunner } from 'typeorm';
import { engineOf } from './engine.js';

/** The oldest releases that have what the queue needs, SKIP LOCKED first of all. */
const OLDEST: Record<string, number[]> = {
  // 8.0.17 brought utf8mb4_0900_bin, the first collation that compares bytes and pads nothing.
  MySQL: [8, 0, 17],
  MariaDB: [10, 6],
  PostgreSQL: [13],
  SQLite: [3, 38],
};

/** Why this database can't carry the queue, or undefined. */
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
    return `TiDB takes SKIP LOCKED and ignores it: tasks would be handed out twice (${version}); ${supported}`;
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
  return undefined;
}

function older(version: string, oldest: number[]): boolean {
  // "PostgreSQL 15.20 (Debian…)", "10.11.19-MariaDB", and MariaDB's old disguise "5.5.5-10.6.1-MariaDB".
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
  return `the connection speaks ${row!.charset}, which loses characters; set charset: 'utf8mb4' in the data source`;
}

/** Statement-based logging refuses READ COMMITTED (error 1665), which claims need. */
async function binlogProblem(runner: QueryRunner): Promise<string | undefined> {
  const rows = (await runner.query("SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')")) as {
    Variable_name: string;
    Value: string;
  }[];
  const value = (name: string) => rows.find((row) => row.Variable_name === name)?.Value;
  if (value('log_bin') !== 'ON' || value('binlog_format') !== 'STATEMENT') return undefined;
  return 'binary logging by statement refuses READ COMMITTED; set binlog_format = ROW on the server';
}

/**
 * Whether SKIP LOCKED is real, tried on two connections: an engine that parses it and ignores it would hand tasks out
 * twice. `row` selects one row that exists. Undefined when all is well.
 */
export async function skipLockedProblem(dataSource: DataSource, row: string): Promise<string | undefined> {
  if (engineOf(dataSource) === 'sqlite') return undefined;
  if (poolSize(dataSource) === 1)
    return 'its pool has one connection, and the queue needs two; set poolSize to 2 or more';
  const [first, second] = await twoConnections(dataSource);
  try {
    await first.startTransaction();
    await second.startTransaction();
    const locked = (await first.query(`${row} FOR UPDATE SKIP LOCKED`)) as unknown[];
    const seen = (await second.query(`${row} FOR UPDATE SKIP LOCKED`)) as unknown[];
    return locked.length > 0 && seen.length > 0
      ? 'this engine takes SKIP LOCKED and ignores it: tasks would be handed out twice'
      : undefined;
  } catch (error) {
    // An account that may not lock that row (least privilege) learns nothing here.
    if (isDenied(error)) return undefined;
    throw error;
  } finally {
    for (const runner of [first, second]) {
      if (runner.isTransactionActive) await runner.rollbackTransaction();
      await runner.release();
    }
  }
}

/** Registrations start side by side: each holding one connection and waiting for its second, none would get on. */
async function twoConnections(dataSource: DataSource): Promise<[QueryRunner, QueryRunner]> {
  for (;;) {
    const [first, second] = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
    await first.connect();
    const connecting = second.connect();
    const patience = 100 + Math.random() * 400;
    const got = await Promise.race([
      connecting.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), patience)),
    ]);
    if (got) return [first, second];
    await first.release();
    await connecting;
    await second.release();
  }
}

/** MySQL: ER_TABLEACCESS_DENIED_ERROR; PostgreSQL: insufficient_privilege. */
const isDenied = (error: unknown): boolean => {
  const { errno, code } = (error as { driverError?: { errno?: number; code?: string } }).driverError ?? {};
  return errno === 1142 || code === '42501';
};

/** Connections in the pool, as far as the options say: the drivers' own setting wins over TypeORM's. */
function poolSize(dataSource: DataSource): number | undefined {
  const { poolSize: size, extra } = dataSource.options as { poolSize?: number; extra?: Record<string, number> };
  return extra?.connectionLimit ?? extra?.max ?? size;
}
