import type { Sql } from 'sql-template-tag';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Database } from './database.js';
import { type QueryResult, type Row, runAsync, type Script } from './transaction.js';

/** MySQL, MariaDB and PostgreSQL: connections from the host's own pool. */
export class PooledDatabase implements Database {
  constructor(private readonly dataSource: DataSource) {}

  /** READ COMMITTED: under REPEATABLE READ the claims' gap locks deadlock with inserts. */
  async attempt<T>(script: () => Script<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction('READ COMMITTED');
      const result = await runAsync(script(), (statement) => execute(runner, statement));
      await runner.commitTransaction();
      return result;
    } catch (error) {
      // A failed rollback means that the connection is gone, and the transaction with it.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  async read<T>(script: () => Script<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await runAsync(script(), (statement) => execute(runner, statement));
    } finally {
      await runner.release();
    }
  }

  within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
    return within(manager, script);
  }

  async close(): Promise<void> {
    // The pool is the host's.
  }
}

/** A script on the query runner of a caller's transaction. */
export async function within<T>(manager: EntityManager, script: () => Script<T>): Promise<T> {
  const runner = manager.queryRunner;
  if (!runner?.isTransactionActive)
    throw new TypeError('`manager` has no open transaction: pass the one that dataSource.transaction() hands you.');
  return runAsync(script(), (statement) => execute(runner, statement));
}

async function execute(runner: QueryRunner, statement: Sql): Promise<QueryResult> {
  const numbered = runner.connection.options.type === 'postgres';
  const result = await runner.query(numbered ? statement.text : statement.sql, statement.values, true);
  return { rows: (result.records ?? []) as Row[], affected: result.affected ?? 0 };
}
