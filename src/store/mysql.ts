import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import {
  type ConfirmedRows,
  type Dialect,
  isLocalTimeColumn,
  isTimeColumn,
  list,
  literal,
  LOCAL_TIME_COLUMNS,
  type ReadyRow,
  type ReadySource,
  type TaskTable,
} from './dialect.js';
import { shifted, utcText } from './clock.js';
import { isoOffset } from './offset.js';
import { allSame, type Cell, type Rows } from './rows.js';
import { change, type Row, type Script, select, type Statement } from './transaction.js';

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
    this.listOrder = sql`${this.table}.created_at DESC, ${this.table}.id DESC`;
    this.ready = {
      from: this.id(`${options.table}_ready`),
      where: sql`1 = 1`,
      taskId: sql`task_id`,
      order: this.claimOrder,
      // Not AS created_at: ORDER BY takes an alias before a column, and would sort, and lock, every ready row.
      row: () => sql`task_id AS id, service, priority, DATE_FORMAT(created_at, '%Y-%m-%d %H:%i:%s.%f') AS created`,
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
    if (!isTimeColumn(column)) return this.id(column);
    return this.iso(column, LOCAL_TIME_COLUMNS.includes(column) ? isoOffset(this.options.offsetMinutes) : 'Z');
  }

  utc(column: string): Sql {
    return this.iso(column, 'Z');
  }

  private iso(column: string, zone: string): Sql {
    return sql`DATE_FORMAT(${this.id(column)}, ${`%Y-%m-%dT%H:%i:%s.%f${zone}`})`;
  }

  /** The driver writes a list of lists as tuples. */
  insertEach({ columns, rows }: Rows): Statement[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const tuples = rows.map(({ cells }) => cells.map((cell, index) => this.stored(cell, columns[index]!)));
    const text = `INSERT INTO ${this.table.sql} (${names}) VALUES ?`;
    return [{ sql: text, text, values: [tuples] }];
  }

  /** One statement, by CASE: of all the ways to write it the fastest, and the one whose plan is always the primary key. */
  updateEach({ columns, rows }: Rows): Sql[] {
    const ids = rows.map((row) => row.id);
    const assignments = columns.map((column, index) => {
      const cells = rows.map((row) => this.stored(row.cells[index], column));
      if (allSame(cells)) return sql`${this.id(column)} = ${cells[0]}`;
      const cases = cells.map((cell, row) => sql`WHEN ${ids[row]} THEN ${cell}`);
      return sql`${this.id(column)} = CASE id ${join(cases, ' ')} END`;
    });
    return [sql`UPDATE ${this.table} SET ${join(assignments)} WHERE id IN (${list(ids)})`];
  }

  private stored(cell: Cell, column: string): Cell {
    if (!(cell instanceof Date) || !isTimeColumn(column)) return cell;
    return utcText(isLocalTimeColumn(column) ? shifted(cell, this.options.offsetMinutes) : cell);
  }

  /**
   * A claim locks the ready row first and the task after it; a user, the PHP side or an operator the other way round.
   * Waiting here would be a deadlock on their side, so a task that somebody holds is passed over. A ready row whose
   * task is gone or not ready (TRUNCATE and cascades fire no triggers) is removed.
   */
  *confirm(rows: ReadyRow[], task: Sql): Script<ConfirmedRows> {
    const ids = rows.map((row) => row.id);
    const locked = new Map((yield* this.begun(ids, task, this.skipLocked)).map((row) => [row.id, row]));
    const missing = rows.filter((row) => !locked.has(row.id));
    const suspects = missing.map((row) => row.id);
    const present = suspects.length === 0 ? [] : yield* this.begun(suspects, sql`id`, empty);
    const held = new Set(present.map((row) => row.id));
    for (const orphan of missing.filter((row) => !held.has(row.id))) yield* this.removeReady(orphan);
    return { free: ids.flatMap((id): Row[] => (locked.has(id) ? [locked.get(id)!] : [])), held: held.size };
  }

  private *begun(ids: string[], columns: Sql, lock: Sql): Script<Row[]> {
    const begin = literal(this.options.status.BEGIN);
    return yield* select(
      sql`SELECT ${columns} FROM ${this.table} WHERE id IN (${list(ids)}) AND status = ${begin} ${lock}`,
    );
  }

  private *removeReady(row: ReadyRow): Script<number> {
    return yield* change(
      sql`DELETE FROM ${this.ready.from} WHERE service = ${row.service} AND priority = ${row.priority}
        AND created_at = ${row.created} AND task_id = ${row.id}`,
    );
  }
}
