import type { QueryRunner } from 'typeorm';
import { engineOf } from '../../database/engine.js';
import { SQL_MODE } from '../../database/mysql.connection.js';

/**
 * Runs work with our modes on a connection of the host, and restores the host's modes afterwards. A trigger keeps the
 * `sql_mode` under which it was created, MariaDB parses other words under ORACLE, and without autocommit TypeORM's
 * record of what ran is never committed.
 */
export async function withOurModes<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  if (engineOf(runner.connection) !== 'mysql') return work();
  const [host] = (await runner.query(
    'SELECT @@sql_mode AS mode, @@autocommit AS autocommit, @@completion_type AS completion, @@sql_safe_updates AS safe',
  )) as { mode: string; autocommit: unknown; completion: string; safe: unknown }[];
  const set = (mode: string, autocommit: unknown, completion: string, safe: unknown): Promise<unknown> =>
    // Inside a transaction of the caller it would be a COMMIT.
    runner.query(
      `SET SESSION sql_mode = '${mode}', SESSION completion_type = '${completion}', SESSION sql_safe_updates = ${Number(safe)}` +
        (runner.isTransactionActive ? '' : `, SESSION autocommit = ${Number(autocommit)}`),
    );
  await set(SQL_MODE, 1, 'NO_CHAIN', 0);
  try {
    return await work();
  } finally {
    await set(host!.mode, host!.autocommit, host!.completion, host!.safe).catch(() => undefined);
  }
}
