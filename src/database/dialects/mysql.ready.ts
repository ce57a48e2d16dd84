import sql, { join, raw, type Sql } from 'sql-template-tag';
import { type Dialect, literal, type ReadySource, type TaskTable } from './dialect.js';
import { readyCreatedAt } from './ready-key.js';
import { shifted, utcText } from '../clock.js';
import { STARTS } from '../mysql.connection.js';
import { change, type Script, select } from '../transaction.js';

/** Fewer tasks than these start about as cheaply one by one: docs/performance.md has the measurement. */
const MANY = 16;
const KEY = ['service', 'priority', 'created_at', 'task_id'];

/** MySQL and MariaDB have no partial index. A narrow table, kept by triggers, has the ready rows in the order of claims. */
export class MysqlReadyRows {
  readonly source: ReadySource;
  private readonly rows: Sql;
  private readonly table: Sql;

  constructor(
    private readonly dialect: Pick<Dialect, 'table' | 'times' | 'id' | 'beside'>,
    private readonly options: TaskTable,
  ) {
    const { id, table, times } = dialect;
    const rows = dialect.beside('ready');
    this.rows = rows;
    this.table = table;
    // Not AS created_at: ORDER BY prefers an alias to a column, and would sort, and lock, every ready row.
    const column = (name: string): Sql => sql`${rows}.${id(name)}`;
    const task = sql`LEFT JOIN ${this.readyTask(column('task_id'))}`;
    this.source = {
      rows,
      where: sql`1 = 1`,
      taskId: sql`task_id`,
      // Joined from the ready row to its task, never the other way. Both rows are locked.
      tasks: sql`${rows} ${task}`,
      column,
      order: join(['priority', 'created_at', 'task_id'].map(column)),
      // Not a comparison of tuples: MySQL uses no index for it.
      by: (turn) => {
        // Forced: over few rows the optimizer takes any of the indexes.
        const ordered = sql`${rows} FORCE INDEX (${id(`${options.table}_ready_${turn}`)})`;
        const name = turn === 'owner' ? 'user_id' : 'group';
        const order = join(['created_at', 'task_id'].map(column));
        return { rows: ordered, tasks: sql`${ordered} ${task}`, order, column: column(name) };
      },
      from: ({ priority, createdAt }, isOneLevel = false) => {
        const created = createdAt ? utcText(shifted(createdAt, times.created_at.offsetMinutes)) : '1970-01-01';
        if (isOneLevel) return sql`${column('created_at')} >= ${created}`;
        return sql`(${column('priority')} > ${priority} OR
          ${column('priority')} = ${priority} AND ${column('created_at')} >= ${created})`;
      },
    };
  }

  /** The task of this id, if it is ready: what a JOIN continues with. */
  private readyTask(taskId: Sql): Sql {
    const { table } = this;
    return sql`${table} ON ${table}.id = ${taskId} AND ${table}.status = ${literal(this.options.status.BEGIN)}`;
  }

  /**
   * For statements that start these tasks: of many, one DELETE removes the ready rows, which costs MySQL half of what the
   * trigger costs for each row. To run together, in the transaction of a claim.
   */
  removedTogether(ids: string[], starts: Sql[]): Sql[] {
    if (ids.length < MANY) return starts;
    const { rows, table } = this;
    const isZoned = this.dialect.times.created_at.zoned;
    const created = raw(readyCreatedAt(isZoned, `${table.sql}.`));
    const key = KEY.map((name) => sql`${this.source.column(name)}`);
    const taskKey = [sql`${table}.service`, sql`${table}.priority`, created, sql`${table}.id`];
    const same = join(
      key.map((column, index) => sql`${column} = ${taskKey[index]}`),
      ' AND ',
    );
    return [
      sql`SET ${raw(STARTS)} = ${`${this.options.table}_ready`}`,
      // Forced: over few rows the optimizer reads, and locks, all of them.
      sql`DELETE ${rows} FROM ${table} FORCE INDEX (PRIMARY) STRAIGHT_JOIN ${rows} FORCE INDEX (PRIMARY) ON ${same}
        WHERE ${table}.id IN (${ids})`,
      ...starts,
      sql`SET ${raw(STARTS)} = NULL`,
    ];
  }

  /**
   * TRUNCATE and cascades fire no triggers, and leave ready rows without a task. A claim locks both rows. If a claim
   * can lock a ready row without its task, the row is an orphan, or another transaction locked the task first and will
   * want the ready row. Waiting for the task would then be a deadlock.
   */
  *removeOrphans(fits: Sql, limit: number, source: Pick<ReadySource, 'rows' | 'order'>): Script<number> {
    const { rows, table } = this;
    const keys = join(KEY.map(this.source.column));
    const orphans = yield* select<Record<string, unknown>>(
      sql`SELECT head.service, head.priority, DATE_FORMAT(head.created_at, '%Y-%m-%d %H:%i:%s.%f') AS created, head.task_id
        FROM (SELECT ${keys} FROM ${source.rows} WHERE ${fits} ORDER BY ${source.order} LIMIT ${limit}) head
        LEFT JOIN ${this.readyTask(sql`head.task_id`)} WHERE ${table}.id IS NULL`,
    );
    for (const { service, priority, created, task_id } of orphans)
      yield* change(
        sql`DELETE FROM ${rows} WHERE service = ${service} AND priority = ${priority}
          AND created_at = ${created} AND task_id = ${task_id}`,
      );
    return orphans.length;
  }
}
