import sql, { type Sql } from 'sql-template-tag';
import type { Dialect } from '../database/dialects/dialect.js';

/** Condition that a task belongs to a batch, for statements of other rooms. The table of tasks has no index for this. */
export const ofBatch =
  (dialect: Dialect) =>
  (batchId: string): Sql =>
    sql`id IN (SELECT task_id FROM ${dialect.beside('batch_members')} WHERE batch_id = ${batchId})`;
