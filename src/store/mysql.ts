import sql, { join, raw, type Sql } from 'sql-template-tag';
import {
  type Dialect,
  isTimeColumn,
  literal,
  LOCAL_TIME_COLUMNS,
  type ReadySource,
  type TaskTable,
} from './dialect.js';
import { cellWriter, shifted, utcText } from './clock.js';
import { isoOffset } from './offset.js';
import { allSame, type Cell, type Rows } from './rows.js';
import { change, type Script, select, type Statement } from './transaction.js';

/** MySQL and MariaDB have no partial index: a narrow table kept by triggers stands for one. */
export class MysqlDialect implements Dialect {
  readonly engine = 'mysql';
  readonly clock = sql`DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%dT%H:%i:%s.%fZ')`;
  readonly table: Sql;
  readonly keys: Sql;
  readonly callbacks: Sql;
  readonly now = sql`UTC_TIMESTAMP(3)`;
  /** A column of its own, kept by triggers. */
  readonly dueAt = sql`due_at`;
  readonly sortKey = sql`DATE_FORMAT(created_at, '%Y-%m-%d %H:%i:%s.%f')`;
  readonly ready: ReadySource;
  readonly claimOrder = sql`priority, created_at, task_id`;
  readonly listOrder: Sql;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  constructor(private readonly options: TaskTable) {
    this.table = this.id(options.table);
    this.keys = this.id(`${options.table}_keys`);
    this.callbacks = this.id(`${options.table}_callbacks`);
    // The table's own column: an unqualified name is the formatted text of that name, which no index serves.
    this.listOrder = sql`${this.table}.user_id DESC, ${this.table}.created_at DESC, ${this.table}.id DESC`;
    const rows = this.id(`${options.table}_ready`);
    // Not AS created_at: ORDER BY takes an alias before a column, and would sort, and lock, every ready row.
    const column = (name: string): Sql => sql`${rows}.${this.id(name)}`;
    this.ready = {
      rows,
      where: sql`1 = 1`,
      taskId: sql`task_id`,
      // From the ready row to its task, never the other way, and both are locked.
      tasks: sql`${rows} LEFT JOIN ${this.table} ON ${this.table}.id = ${column('task_id')}
        AND ${this.table}.status = ${literal(options.status.BEGIN)}`,
      column,
      order: join(['priority', 'created_at', 'task_id'].map(column)),
      // Not a comparison of tuples, which no MySQL serves by an index.
      from: ({ priority, createdAt }) => {
        const created = createdAt ? utcText(shifted(createdAt, options.offsetMinutes)) : '1970-01-01';
        return sql`(${column('priority')} > ${priority} OR
          ${column('priority')} = ${priority} AND ${column('created_at')} >= ${created})`;
      },
    };
  }

  id(name: string): Sql {
    return raw(`\`${name.replaceAll('`', '``')}\``);
  }

  after(seconds: number): Sql {
    return sql`(UTC_TIMESTAMP(3) + INTERVAL ${seconds} SECOND)`;
  }

  localAfter(seconds: number): Sql {
    return this.after(this.options.offsetMinutes * 60 + seconds);
  }

  sortTime(text: string): Sql {
    return sql`CAST(${text} AS DATETIME(6))`;
  }

  /** The driver writes a list. */
  idIn(ids: string[]): Sql {
    return sql`id IN (${ids})`;
  }

  /** Not `=`: MariaDB would look up the owner alone, and read its list from the top, however deep it begins. */
  ownedFrom(userId: string): Sql {
    return sql`user_id BETWEEN ${userId} AND ${userId}`;
  }

  insertNew(table: Sql, columnsAndValues: Sql): Sql {
    return sql`INSERT IGNORE INTO ${table} ${columnsAndValues}`;
  }

  onDuplicate(assignments: Sql): Sql {
    return sql`ON DUPLICATE KEY UPDATE ${assignments}`;
  }

  bytes(column: string): Sql {
    return sql`OCTET_LENGTH(${this.id(column)})`;
  }

  read(column: string): Sql {
    const name = sql`${this.table}.${this.id(column)}`;
    if (!isTimeColumn(column)) return name;
    return iso(name, LOCAL_TIME_COLUMNS.includes(column) ? isoOffset(this.options.offsetMinutes) : 'Z');
  }

  utc(column: string): Sql {
    return iso(this.id(column), 'Z');
  }

  /** The driver writes a list of lists as tuples. */
  insertEach({ columns, rows }: Rows): Statement[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const write = cellWriter(columns, utcText, this.options.offsetMinutes);
    const tuples = rows.map(({ cells }) => cells.map(write));
    const text = `INSERT INTO ${this.table.sql} (${names}) VALUES ?`;
    return [{ sql: text, text, values: [tuples] }];
  }

  /** One statement, by CASE: of all the ways to write it the fastest, and the one whose plan is always the primary key. */
  updateEach({ columns, rows }: Rows): Statement[] {
    const write = cellWriter(columns, utcText, this.options.offsetMinutes);
    const values: Cell[] = [];
    const cases = ' WHEN ? THEN ?'.repeat(rows.length);
    const assignments = columns.map((column, index) => {
      const name = this.id(column).sql;
      const cells = rows.map((row) => row.cells[index]);
      if (allSame(cells)) {
        values.push(write(cells[0], index));
        return `${name} = ?`;
      }
      for (const { id, cells } of rows) values.push(id, write(cells[index], index));
      return `${name} = CASE id${cases} END`;
    });
    const text = `UPDATE ${this.table.sql} SET ${assignments.join(', ')} WHERE id IN (?)`;
    return [{ sql: text, text, values: [...values, rows.map((row) => row.id)] }];
  }

  /**
   * TRUNCATE and cascades fire no triggers, and leave ready rows without a task. Whoever claims locked both: a ready row
   * without one that he can lock is either an orphan, or its task is somebody's, who locked it first and will want the
   * ready row. Waiting for him would be a deadlock on his side.
   */
  *removeOrphans(fits: Sql, limit: number): Script<number> {
    const { ready, table } = this;
    const columns = ['service', 'priority', 'created_at', 'task_id'];
    const keys = join(columns.map(ready.column));
    const orphans = yield* select<Record<string, unknown>>(
      sql`SELECT head.service, head.priority, DATE_FORMAT(head.created_at, '%Y-%m-%d %H:%i:%s.%f') AS created, head.task_id
        FROM (SELECT ${keys} FROM ${ready.rows} WHERE ${fits} ORDER BY ${ready.order} LIMIT ${limit}) head
        LEFT JOIN ${table} ON ${table}.id = head.task_id AND ${table}.status = ${literal(this.options.status.BEGIN)}
        WHERE ${table}.id IS NULL`,
    );
    for (const { service, priority, created, task_id } of orphans)
      yield* change(
        sql`DELETE FROM ${ready.rows} WHERE service = ${service} AND priority = ${priority}
          AND created_at = ${created} AND task_id = ${task_id}`,
      );
    return orphans.length;
  }
}

const iso = (time: Sql, zone: string): Sql => sql`DATE_FORMAT(${time}, ${raw(`'%Y-%m-%dT%H:%i:%s.%f${zone}'`)})`;
