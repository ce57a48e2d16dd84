import sql, { join, raw, type Sql } from 'sql-template-tag';
import { shifted, utcText } from '../../database/clock.js';
import { type Dialect, list, literal } from '../../database/dialects/dialect.js';
import type { Script } from '../../database/transaction.js';
import type { Position } from './list.store.js';

/** Which tasks a search finds. Every condition must hold. */
export interface SearchFilter {
  status?: number | undefined;
  /** Only tasks with one of these statuses, or with none of them. */
  statuses?: { isOneOf: boolean; values: readonly number[] } | undefined;
  service?: string | undefined;
  group?: string | undefined;
  userId?: string | undefined;
  workerId?: string | undefined;
  scheduleKey?: string | undefined;
  batchId?: string | undefined;
  /** How the error of the last attempt begins. The case of letters does not matter. */
  error?: string | undefined;
  ids?: string[] | undefined;
  /** No task whose id was made here after this one. */
  lastId?: string | undefined;
  /** Created at this time or later. */
  createdFrom?: Date | undefined;
  /** Created before this time. */
  createdTo?: Date | undefined;
}

/** A number of rows that follow each other, and those of them that fit. */
export interface SearchWindow {
  /** The first rows that fit, at most as many as were asked for. */
  found: Position[];
  /** There may be more that fit. */
  isFull: boolean;
  /** The last row of the window. undefined: the window reached the end. */
  end: Position | undefined;
}

/** Before the rows of an owner that have no time of creation. No id sorts after it. */
const TIMELESS: Position = { created: null, taskId: '~' };

/** Ids are made by the processes' clocks, `created_at` by the database's. They may differ by this many milliseconds. */
const CLOCK_SKEW = 3_600_000;

/**
 * Walks over the tasks in windows of a fixed number of rows, newest first. With a batch it walks the ids of the batch's
 * tasks, and with an owner the owner's index. Otherwise it walks the primary key, because an index for every filter would
 * cost time at every move of every task: ids made here sort by time, other ids (of a Laravel application) sort anywhere.
 */
export class SearchStore {
  constructor(
    private readonly dialect: Dialect,
    /** A statement that reads the ids of a batch's tasks, in any order. */
    private readonly tasksOfBatch: (batchId: string) => Sql,
  ) {}

  /** The window of `size` rows after a position. */
  *window(filter: SearchFilter, after: Position | undefined, size: number, limit: number): Script<SearchWindow> {
    const timelessLast = sql`CASE WHEN sort_key IS NULL THEN 1 ELSE 0 END`;
    const order = walksOwner(filter) ? sql`${timelessLast}, sort_key DESC, id DESC` : sql`id DESC`;
    const { walked, end } = this.walk(filter, after, size);
    const [found, last] = yield [
      sql`SELECT id, sort_key FROM (${walked}) walked WHERE fits = 1 ORDER BY ${order} LIMIT ${literal(limit + 1)}`,
      end,
    ];
    const positions = found!.rows.map(positionOf);
    return {
      found: positions.slice(0, limit),
      isFull: positions.length > limit,
      end: endOf(filter, after, last!.rows),
    };
  }

  /** How many rows of the window fit. */
  *count(
    filter: SearchFilter,
    after: Position | undefined,
    size: number,
  ): Script<{ count: number; end: Position | undefined }> {
    const { walked, end } = this.walk(filter, after, size);
    const [counted, last] = yield [sql`SELECT COUNT(*) AS count FROM (${walked}) walked WHERE fits = 1`, end];
    return { count: Number(counted!.rows[0]!.count), end: endOf(filter, after, last!.rows) };
  }

  private walk(filter: SearchFilter, after: Position | undefined, size: number): { walked: Sql; end: Sql } {
    const { table, sortKey, fits, from, order } = this.rows(filter, after);
    const rows = sql`FROM ${table} WHERE ${join(from, ' AND ')} ORDER BY ${order}`;
    return {
      walked: sql`SELECT id, ${sortKey} AS sort_key, ${fits} AS fits ${rows} LIMIT ${literal(size)}`,
      end: sql`SELECT id, ${sortKey} AS sort_key ${rows} LIMIT 1 OFFSET ${literal(size - 1)}`,
    };
  }

  private rows(filter: SearchFilter, after: Position | undefined): Rows & Walk {
    const { dialect } = this;
    const conditions = join([sql`1 = 1`, ...this.conditions(filter)], ' AND ');
    if (filter.batchId !== undefined) {
      // No join: an engine might read all tasks for it. A task that was deleted is a row of the window that does not fit.
      return {
        table: sql`(${this.tasksOfBatch(filter.batchId)}) of_batch`,
        sortKey: sql`NULL`,
        fits: sql`(SELECT 1 FROM ${dialect.table} WHERE id = of_batch.id AND ${conditions})`,
        ...this.byId(filter, after),
      };
    }
    return {
      table: dialect.table,
      sortKey: dialect.sortKey,
      fits: sql`CASE WHEN ${conditions} THEN 1 ELSE 0 END`,
      ...(walksOwner(filter) ? this.byOwner(filter.userId!, after) : this.byId(filter, after)),
    };
  }

  private byId({ createdFrom, createdTo, ids }: SearchFilter, after: Position | undefined): Walk {
    const from = [sql`1 = 1`];
    if (after) from.push(sql`id < ${after.taskId}`);
    if (ids) from.push(ids.length === 0 ? sql`1 = 0` : this.dialect.idIn(ids));
    if (createdFrom) from.push(sql`id >= ${idAt(createdFrom.getTime() - CLOCK_SKEW)}`);
    if (createdTo) from.push(sql`id < ${idAt(createdTo.getTime() + CLOCK_SKEW)}`);
    return { from, order: sql`id DESC` };
  }

  /**
   * Rows without a time of creation come last, as in the owner's list. They are a range of their own, because one
   * condition for both would use no range of the index.
   */
  private byOwner(userId: string, after: Position | undefined): Walk {
    const { dialect } = this;
    const from = [dialect.ownedFrom(userId)];
    if (after?.created === null) from.push(sql`created_at IS NULL AND id < ${after.taskId}`);
    else if (after) {
      const time = dialect.sortTime(after.created);
      from.push(sql`created_at <= ${time} AND (created_at < ${time} OR id < ${after.taskId})`);
    }
    return { from, order: dialect.listOrder };
  }

  private conditions(filter: SearchFilter): Sql[] {
    const {
      status,
      statuses,
      service,
      group,
      workerId,
      scheduleKey,
      error,
      ids,
      createdFrom,
      createdTo,
      lastId,
      userId,
      batchId,
    } = filter;
    const conditions: Sql[] = [];
    if (userId !== undefined && batchId !== undefined) conditions.push(sql`user_id = ${userId}`);
    if (status !== undefined) conditions.push(sql`status = ${status}`);
    if (statuses)
      conditions.push(sql`status ${raw(statuses.isOneOf ? 'IN' : 'NOT IN')} (${join(statuses.values.map(literal))})`);
    if (service !== undefined) conditions.push(sql`service = ${service}`);
    if (group !== undefined) conditions.push(sql`${this.dialect.id('group')} = ${group}`);
    if (workerId !== undefined) conditions.push(sql`worker_id = ${workerId}`);
    if (scheduleKey !== undefined) conditions.push(sql`schedule_key = ${scheduleKey}`);
    if (error !== undefined) conditions.push(sql`LOWER(error) LIKE ${beginningWith(error.toLowerCase())} ESCAPE '!'`);
    if (ids && walksOwner(filter)) conditions.push(ids.length === 0 ? sql`1 = 0` : sql`id IN (${list(ids)})`);
    // An id of another version says nothing of its time.
    if (lastId) conditions.push(sql`(id <= ${lastId} OR SUBSTR(id, 15, 1) <> '7')`);
    if (createdFrom) conditions.push(sql`created_at >= ${this.createdAt(createdFrom)}`);
    if (createdTo) conditions.push(sql`created_at < ${this.createdAt(createdTo)}`);
    return conditions;
  }

  private createdAt(time: Date): Sql {
    const { dialect } = this;
    return dialect.sortTime(utcText(shifted(time, dialect.times.created_at.offsetMinutes)));
  }
}

/** A batch has one owner. Its tasks are fewer than the owner's. */
const walksOwner = ({ userId, batchId }: SearchFilter): boolean => userId !== undefined && batchId === undefined;

/** An owner's rows without a time are a range of their own, after the others. */
const endOf = (
  filter: SearchFilter,
  after: Position | undefined,
  rows: Record<string, unknown>[],
): Position | undefined => rows.map(positionOf)[0] ?? (walksOwner(filter) && after?.created ? TIMELESS : undefined);

/** What a walk reads of its rows. */
interface Rows {
  table: Sql;
  sortKey: Sql;
  /** 1 for a row that fits. */
  fits: Sql;
}

/** The rows that a walk goes through, and in which order. */
interface Walk {
  from: Sql[];
  order: Sql;
}

const positionOf = (row: Record<string, unknown>): Position => ({
  created: row.sort_key as string | null,
  taskId: row.id as string,
});

/** The first id of version 7 at this time, in milliseconds (RFC 9562, 5.7: the first 48 bits). */
function idAt(milliseconds: number): string {
  const hex = Math.max(0, milliseconds).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

const beginningWith = (text: string): string => `${text.replaceAll(/[!%_]/g, (sign) => `!${sign}`)}%`;
