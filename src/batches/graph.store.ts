import sql, { empty, type Sql } from 'sql-template-tag';
import { type Dialect, list, literal } from '../database/dialects/dialect.js';
import { type Script, select } from '../database/transaction.js';
import type { BatchMember } from './batch.js';

/** Which tasks of a batch. Every condition must hold. */
export interface MemberFilter {
  layer?: number | undefined;
  status?: number | undefined;
}

/** Tasks of a layer that are alike. */
export interface LayerCount {
  layer: number;
  /** How they have ended, as far as their batch has counted it. */
  outcome: number | null;
  /** null: they were deleted, or have ended. */
  status: number | null;
  count: number;
}

/** Reads which tasks a batch has, and which of them wait for which. */
export class GraphStore {
  private readonly members: Sql;
  private readonly edges: Sql;

  constructor(private readonly dialect: Dialect) {
    this.members = dialect.beside('batch_members');
    this.edges = dialect.beside('batch_dependencies');
  }

  /** Tasks of a batch after an id, in the order in which they were created, among the next `size`. */
  *tasks(
    batchId: string,
    { layer, status }: MemberFilter,
    after: string,
    limit: number,
    size: number,
  ): Script<Omit<BatchMember, 'dependsOn'>[]> {
    const ofLayer = layer === undefined ? empty : sql`AND member.layer = ${layer}`;
    const ofStatus = status === undefined ? empty : sql`AND task.status = ${status}`;
    const rows = yield* select<Record<string, unknown>>(
      sql`SELECT member.task_id, member.ref, member.layer, task.status, task.service
        FROM (SELECT task_id, ref, layer ${this.following(batchId, after)} LIMIT ${literal(size)}) member
        LEFT JOIN ${this.dialect.table} task ON task.id = member.task_id
        WHERE 1 = 1 ${ofLayer} ${ofStatus} ORDER BY member.task_id LIMIT ${literal(limit)}`,
    );
    return rows.map((row) => ({
      taskId: row.task_id as string,
      ref: row.ref as string | null,
      layer: Number(row.layer),
      status: row.status === null ? null : Number(row.status),
      service: row.service as string | null,
    }));
  }

  /** The id of the task that comes `size` tasks after another one. undefined: there are fewer. */
  *skip(batchId: string, after: string, size: number): Script<string | undefined> {
    const [row] = yield* select<{ task_id: string }>(
      sql`SELECT task_id ${this.following(batchId, after)} LIMIT 1 OFFSET ${literal(size - 1)}`,
    );
    return row?.task_id;
  }

  /** Which tasks these wait for, by the ids of those that wait. */
  *needs(batchId: string, taskIds: string[], limit: number): Script<{ taskId: string; needs: string }[]> {
    if (taskIds.length === 0) return [];
    const rows = yield* select<{ task_id: string; needs: string }>(
      sql`SELECT task_id, needs FROM ${this.edges} WHERE batch_id = ${batchId} AND task_id IN (${list(taskIds)})
        ORDER BY task_id, needs LIMIT ${literal(limit)}`,
    );
    return rows.map((row) => ({ taskId: row.task_id, needs: row.needs }));
  }

  /** How many tasks of these layers are where. */
  *layers(batchId: string, from: number, limit: number): Script<LayerCount[]> {
    const rows = yield* select<Record<string, unknown>>(
      sql`SELECT member.layer, member.outcome, task.status, COUNT(*) AS count FROM ${this.members} member
        LEFT JOIN ${this.dialect.table} task ON task.id = member.task_id AND member.outcome IS NULL
        WHERE member.batch_id = ${batchId} AND member.layer >= ${from} AND member.layer < ${from + limit}
        GROUP BY member.layer, member.outcome, task.status ORDER BY member.layer`,
    );
    const orNull = (value: unknown): number | null => (value === null ? null : Number(value));
    return rows.map((row) => ({
      layer: Number(row.layer),
      outcome: orNull(row.outcome),
      status: orNull(row.status),
      count: Number(row.count),
    }));
  }

  private following(batchId: string, after: string): Sql {
    return sql`FROM ${this.members} WHERE batch_id = ${batchId} AND task_id > ${after} ORDER BY task_id`;
  }
}
