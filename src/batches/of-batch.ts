import sql, { empty, type Sql } from 'sql-template-tag';
import type { Dialect } from '../database/dialects/dialect.js';

/** Condition that a task belongs to a batch, for statements of other rooms. The table of tasks has no index for this. */
export const ofBatch =
  (dialect: Dialect) =>
  (batchId: string): Sql =>
    sql`id IN (SELECT task_id FROM ${dialect.beside('batch_members')} WHERE batch_id = ${batchId})`;

/** The ids of a batch's tasks, as `id`, for statements of other rooms that read some of them in their order. */
export const tasksOfBatch = (dialect: Dialect): ((batchId: string) => Sql) => {
  // Forced: the other index holds no more than is asked for, so MySQL takes it, and sorts the whole batch for each window.
  const inOrder = dialect.engine === 'mysql' ? sql`FORCE INDEX (PRIMARY)` : empty;
  const members = sql`${dialect.beside('batch_members')} ${inOrder}`;
  return (batchId) => sql`SELECT task_id AS id FROM ${members} WHERE batch_id = ${batchId}`;
};
