import sql, { join } from 'sql-template-tag';
import type { Dialect } from '../database/dialects/dialect.js';
import { type Script, select } from '../database/transaction.js';
import { SIDE_TABLES } from './releases.js';
import { READY } from './tables/ready.table.js';

/** Fails if a table beside the task table is not there. Reads no row. */
export function* findSideTables(dialect: Dialect): Script<void> {
  const tables = [...SIDE_TABLES, ...(dialect.engine === 'mysql' ? [READY] : [])];
  const looks = tables.map(({ suffix }) => sql`SELECT 1 AS one FROM ${dialect.beside(suffix)} WHERE 1 = 0`);
  yield* select(join(looks, ' UNION ALL '));
}
