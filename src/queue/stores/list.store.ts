import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../../contract/task.entity.js';
import type { TaskColumns } from './columns.js';
import { type Dialect, list } from '../../database/dialects/dialect.js';
import { LongTexts } from './long-texts.js';
import { type Row, type Script, select } from '../../database/transaction.js';

/** The last task of a page. The next page begins after it. */
export interface Position {
  /** The exact text of its `created_at`. null if it has none. */
  created: string | null;
  taskId: string;
}

export interface ListFilter {
  userId: string;
  service?: string | undefined;
  group?: string | undefined;
  status?: number | undefined;
  /** Only these tasks, and all of them: no paging. */
  ids?: string[] | undefined;
  /** Only the tasks after this position. */
  after?: Position | undefined;
  /** How many tasks to skip. */
  offset: number;
  limit: number;
}

export interface TaskPage<T extends Task> {
  tasks: T[];
  /** Where the next page begins. undefined on the last page. */
  next?: Position | undefined;
}

/** An owner's tasks, newest first. Rows without a time of creation come last. */
export class ListStore<T extends Task> {
  private readonly longTexts: LongTexts<T>;

  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
  ) {
    this.longTexts = new LongTexts(dialect, columns);
  }

  /** Offers each task to `take`. The page ends before the first task that `take` rejects. */
  *list(filter: ListFilter, take: (task: T) => boolean): Script<TaskPage<T>> {
    const { rows, more } = yield* this.page(filter);
    const tasks: T[] = [];
    let last = rows.at(-1);
    let isCut = false;
    yield* this.longTexts.each(rows, (task, row) => {
      isCut = !take(task);
      if (!isCut) tasks.push(task);
      if (isCut) last = rows[rows.indexOf(row) - 1];
      return !isCut;
    });
    return { tasks, next: last && (more || isCut) ? positionOf(last) : undefined };
  }

  private *page(filter: ListFilter): Script<{ rows: Row[]; more: boolean }> {
    const { ids, limit, offset } = filter;
    if (ids?.length === 0) return { rows: [], more: false };
    const where = join(this.conditions(filter), ' AND ');
    if (ids) return { rows: yield* this.read(where, ids.length), more: false };
    // Reads one row more than the page holds, to know whether there is another page.
    const rows: Row[] = [];
    for (const part of this.parts(where, filter)) {
      const missing = limit + 1 - rows.length;
      if (missing > 0) rows.push(...(yield* this.read(part, missing, sql`LIMIT ${missing} OFFSET ${offset}`)));
    }
    return { rows: rows.slice(0, limit), more: rows.length > limit };
  }

  private conditions({ userId, service, group, status, ids, after }: ListFilter): Sql[] {
    const conditions = [after ? this.dialect.ownedFrom(userId) : sql`user_id = ${userId}`];
    if (service !== undefined) conditions.push(sql`service = ${service}`);
    if (group !== undefined) conditions.push(sql`${this.dialect.id('group')} = ${group}`);
    if (status !== undefined) conditions.push(sql`status = ${status}`);
    if (ids) conditions.push(sql`id IN (${list(ids)})`);
    return conditions;
  }

  /** Each part is one range of the owner's index, so that a page costs the same at any depth. */
  private parts(where: Sql, { after }: ListFilter): Sql[] {
    if (!after) return [where];
    const { created, taskId } = after;
    const timeless = sql`${where} AND created_at IS NULL`;
    if (created === null) return [sql`${timeless} AND id < ${taskId}`];
    const time = this.dialect.sortTime(created);
    return [sql`${where} AND created_at <= ${time} AND (created_at < ${time} OR id < ${taskId})`, timeless];
  }

  private *read(where: Sql, rows: number, limit = empty): Script<Row[]> {
    const { dialect, columns } = this;
    return yield* select(
      sql`SELECT ${columns.listOf(rows)}, ${dialect.sortKey} AS sort_key FROM ${dialect.table}
        WHERE ${where} ORDER BY ${dialect.listOrder} ${limit}`,
    );
  }
}

const positionOf = (row: Row): Position => ({ created: row.sort_key as string | null, taskId: row.id as string });
