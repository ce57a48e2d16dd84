import sql, { empty, join, type Sql } from 'sql-template-tag';
import { type Dialect, list } from '../database/dialects/dialect.js';
import { type Row, type Script, select } from '../database/transaction.js';
import type { WatchedRow } from './watched-task.js';

/** Which of an owner's tasks a stream shows. */
export interface LiveFilter {
  /** Only these tasks. */
  ids?: string[] | undefined;
  service?: string | undefined;
  group?: string | undefined;
  /** Only tasks of this batch. */
  batchId?: string | undefined;
}

/** The most new tasks that one look reads. */
const NEW = 5000;

/** Reads the states of watched tasks, without their texts. */
export class LiveStore {
  private readonly columns: Sql;

  constructor(
    private readonly dialect: Dialect,
    /** Condition that a task belongs to a batch. */
    private readonly ofBatch: (batchId: string) => Sql,
  ) {
    const times = ['created_at', 'updated_at', 'lease_expires_at'];
    const names = ['id', 'user_id', 'service', 'group', 'status', 'progress', 'attempts', 'batch_id'];
    this.columns = join([
      ...names.map((name) => dialect.id(name)),
      ...times.map((name) => sql`${dialect.read(name)} AS ${dialect.id(`softdd_${name}`)}`),
    ]);
  }

  /** Those of the tasks that exist and belong to the owner, in the order of the ids. */
  *named(userId: string, ids: string[]): Script<WatchedRow[]> {
    const rows = yield* this.read(sql`${this.dialect.idIn(ids)} AND user_id = ${userId}`);
    const known = new Map(rows.map((row) => [row.taskId, row]));
    return ids.map((id) => known.get(id)).filter((row) => row !== undefined);
  }

  /** An owner's newest tasks, newest first. */
  *newest(userId: string, { service, group, batchId }: LiveFilter, limit: number): Script<WatchedRow[]> {
    const { dialect } = this;
    const conditions = [sql`user_id = ${userId}`];
    if (service !== undefined) conditions.push(sql`service = ${service}`);
    if (group !== undefined) conditions.push(sql`${dialect.id('group')} = ${group}`);
    if (batchId !== undefined) conditions.push(this.ofBatch(batchId));
    return yield* this.read(join(conditions, ' AND '), sql`ORDER BY ${dialect.listOrder} LIMIT ${limit}`);
  }

  /**
   * One statement for everything that is watched: these tasks, and what these owners created in the last `seconds`. The
   * primary key serves the first part, the owner's index the second one.
   */
  *look(ids: string[], owners: string[], seconds: number): Script<WatchedRow[]> {
    const { dialect } = this;
    const created = sql`created_at >= ${dialect.localAfter(-seconds, 'created_at')}`;
    const recent = sql`user_id IN (${list(owners)}) AND ${created} LIMIT ${NEW}`;
    const parts = [
      ...(ids.length > 0 ? [this.from(dialect.idIn(ids))] : []),
      // A limit inside a union needs a subquery.
      ...(owners.length > 0 ? [sql`SELECT * FROM (${this.from(recent)}) recent`] : []),
    ];
    return parts.length > 0 ? (yield* select(join(parts, ' UNION ALL '))).map(toLive) : [];
  }

  private *read(where: Sql, rest = empty): Script<WatchedRow[]> {
    return (yield* select(sql`${this.from(where)} ${rest}`)).map(toLive);
  }

  private from(where: Sql): Sql {
    return sql`SELECT ${this.columns} FROM ${this.dialect.table} WHERE ${where}`;
  }
}

const timeOf = (value: unknown): Date | null => (value === null ? null : new Date(value as string | number));

const toLive = (row: Row): WatchedRow => ({
  taskId: row.id as string,
  userId: row.user_id as string,
  service: row.service as string,
  group: row.group as string | null,
  batchId: row.batch_id as string | null,
  status: Number(row.status),
  progress: Number(row.progress),
  attempts: Number(row.attempts),
  createdAt: timeOf(row.softdd_created_at),
  updatedAt: timeOf(row.softdd_updated_at),
  leaseExpiresAt: timeOf(row.softdd_lease_expires_at),
});
