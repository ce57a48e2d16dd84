import sql, { join, type Sql } from 'sql-template-tag';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { LIMITS } from '../core/rules.js';
import type { TaskColumns } from './columns.js';
import { type Dialect, list } from './dialect.js';
import type { Row } from './transaction.js';
import { type Script, select } from './transaction.js';

/** The last task of a page: where the next one begins. */
export interface Position {
  /** Text of its `created_at`, exact; null where it has none. */
  created: string | null;
  taskId: string;
}

export interface ListFilter {
  userId: string;
  service?: string | undefined;
  group?: string | undefined;
  status?: number | undefined;
  /** These tasks only, and all of them: no paging. */
  ids?: string[] | undefined;
  /** Only what comes after it. */
  after?: Position | undefined;
  /** Tasks to pass over, and the most to answer. */
  offset: number;
  limit: number;
}

export interface TaskPage<T extends Task> {
  tasks: T[];
  /** Where the next page begins; undefined where there is none. */
  next?: Position | undefined;
}

interface Part {
  where: Sql;
  limit: Sql;
}

const TEXTS = ['input', 'args', 'temp', 'output', 'error'];

/** An owner's tasks, newest first; rows without a time of creation come last. */
export class ListStore<T extends Task> {
  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
  ) {}

  *list(filter: ListFilter): Script<TaskPage<T>> {
    if (filter.ids?.length === 0) return { tasks: [] };
    const where = join(this.conditions(filter), ' AND ');
    if (filter.ids)
      return { tasks: (yield* this.read({ where, limit: sql`` }, filter)).map((row) => this.toTask(row)) };
    // One more than the page tells whether there is another.
    const rows: Row[] = [];
    for (const part of this.parts(where, filter)) {
      const missing = filter.limit + 1 - rows.length;
      if (missing > 0) rows.push(...(yield* this.read({ where: part, limit: page(missing, filter.offset) }, filter)));
    }
    const tasks = rows.slice(0, filter.limit).map((row) => this.toTask(row));
    const last = rows[filter.limit - 1];
    const more = rows.length > filter.limit && last !== undefined;
    return {
      tasks,
      next: more ? { created: last.sort_key as string | null, taskId: tasks.at(-1)!.taskId } : undefined,
    };
  }

  private conditions({ userId, service, group, status, ids, after }: ListFilter): Sql[] {
    const conditions = [after ? this.dialect.ownedFrom(userId) : sql`user_id = ${userId}`];
    if (service !== undefined) conditions.push(sql`service = ${service}`);
    if (group !== undefined) conditions.push(sql`${this.dialect.id('group')} = ${group}`);
    if (status !== undefined) conditions.push(sql`status = ${status}`);
    if (ids) conditions.push(sql`id IN (${list(ids)})`);
    return conditions;
  }

  /** Each part is a range of the owner's index, so that a page costs the same at any depth. */
  private parts(where: Sql, { after }: ListFilter): Sql[] {
    if (!after) return [where];
    const { created, taskId } = after;
    const timeless = sql`${where} AND created_at IS NULL`;
    if (created === null) return [sql`${timeless} AND id < ${taskId}`];
    const time = this.dialect.sortTime(created);
    return [sql`${where} AND created_at <= ${time} AND (created_at < ${time} OR id < ${taskId})`, timeless];
  }

  private *read({ where, limit }: Part, { ids, limit: size }: ListFilter): Script<Row[]> {
    const { dialect } = this;
    const clause = sql`WHERE ${where} ORDER BY ${dialect.listOrder} ${limit}`;
    const most = ids?.length ?? size;
    if (most * TEXTS.length * LIMITS.textBytes > LIMITS.listBytes)
      yield* this.checkSize(clause, ids ? 'ids' : 'pageNum');
    return yield* select(
      sql`SELECT ${this.columns.list}, ${dialect.sortKey} AS sort_key FROM ${dialect.table} ${clause}`,
    );
  }

  /** A thousand tasks are small as a rule, but may have gigabytes: refused before they are read into memory. */
  private *checkSize(clause: Sql, field: string): Script<void> {
    const bytes = TEXTS.map((column) => sql`COALESCE(${this.dialect.bytes(column)}, 0)`);
    const [row] = yield* select<{ bytes: unknown }>(
      sql`SELECT SUM(size) AS bytes FROM (SELECT ${join(bytes, ' + ')} AS size FROM ${this.dialect.table} ${clause}) page`,
    );
    if (Number(row!.bytes) <= LIMITS.listBytes) return;
    const msg = `${field} asks for more than ${LIMITS.listBytes} bytes of texts; ask for fewer tasks at once`;
    throw new TaskError('TOO_LARGE', [{ field, rule: 'listBytes', msg }]);
  }

  private toTask(row: Row): T {
    return this.columns.toTask(row);
  }
}

const page = (limit: number, offset: number): Sql => sql`LIMIT ${limit} OFFSET ${offset}`;
