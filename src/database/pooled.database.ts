import { type DataSource, type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';
import type { Database } from './database.js';
import { engineOf } from './engine.js';
import { type MysqlClient, runMysql } from './mysql.connection.js';
import { Pool } from './pool.js';
import { runPostgres } from './postgres.connection.js';
import type { PostgresClient } from './postgres.pipeline.js';
import { bound } from './steady-clock.js';
import { type QueryResult, type Row, runAsync, type Script, type Statement } from './transaction.js';

/** MySQL, MariaDB and PostgreSQL over our own pool, which can send several statements at once. */
export class PooledDatabase implements Database {
  readonly oneWriter = false;

  private constructor(
    private readonly pool: Pool,
    private readonly hostColumns: ReadonlySet<string>,
  ) {}

  /** `hostColumns` are read as the host's driver reads them. */
  static async open(host: DataSource, hostColumns: ReadonlySet<string>): Promise<PooledDatabase> {
    return new PooledDatabase(await Pool.open(host, hostColumns), hostColumns);
  }

  async attempt<T>(script: () => Script<T>): Promise<T> {
    const connection = await this.pool.take();
    const { begin, commit } = connection;
    try {
      return await runAsync(script(), (statements) => connection.send(statements), begin, commit);
    } catch (error) {
      await connection.rollback();
      throw error;
    } finally {
      this.pool.put(connection);
    }
  }

  async read<T>(script: () => Script<T>): Promise<T> {
    const connection = await this.pool.take();
    try {
      return await runAsync(script(), (statements) => connection.send(statements));
    } finally {
      this.pool.put(connection);
    }
  }

  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
    return within(manager, script, this.hostColumns);
  }

  /** Rolled back at the end. A server that takes no writes refuses them before COMMIT. */
  async check(script: () => Script<void>): Promise<void> {
    const undone = new Error('undone');
    const attempt = this.attempt(function* () {
      yield* script();
      throw undone;
    });
    await attempt.catch((error: unknown) => {
      if (error !== undone) throw error;
    });
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}

/** Runs a script on the query runner of the caller's transaction, under any settings of its session. */
export async function within<T>(
  manager: EntityManager,
  script: () => Script<T>,
  hostColumns: ReadonlySet<string>,
): Promise<T> {
  const runner = manager.queryRunner;
  if (!runner?.isTransactionActive)
    throw new TypeError('`manager` has no open transaction; pass the manager that dataSource.transaction() gives you.');
  return runAsync(script(), async (statements) => {
    const results: QueryResult[] = [];
    for (const statement of statements) results.push(await execute(runner, statement, hostColumns));
    return results;
  });
}

async function execute(
  runner: QueryRunner,
  statement: Statement,
  hostColumns: ReadonlySet<string>,
): Promise<QueryResult> {
  const { sql, text, values } = statement;
  const { logger } = runner.connection;
  const engine = engineOf(runner.connection);
  if (engine === 'sqlite') {
    const result = await runner.query(sql, bound(values), true);
    return { rows: (result.records ?? []) as Row[], affected: result.affected ?? 0 };
  }
  const client: unknown = await runner.connect();
  const written = engine === 'postgres' ? text : sql;
  logger.logQuery(written, values, runner);
  try {
    const [result] =
      engine === 'postgres'
        ? await runPostgres(client as PostgresClient, [statement], hostColumns)
        : await runMysql(client as MysqlClient, [statement], hostColumns);
    return result!;
  } catch (error) {
    logger.logQueryError(error as Error, written, values, runner);
    throw new QueryFailedError(written, values, error as Error);
  }
}
