import sql, { empty, type Sql } from 'sql-template-tag';
import { cellWriter, storedText, utcText } from '../clock.js';
import { type Dialect, isTimeColumn, type TaskTable } from './dialect.js';
import { isoOffset } from '../offset.js';
import { PartialIndexDialect } from './partial-index.dialect.js';
import type { Rows } from '../rows.js';
import { TimeOfStatement } from '../steady-clock.js';
import { isLocalTimeColumn, type LocalTimeColumn } from '../stored-time.js';
import type { Statement } from '../transaction.js';

/**
 * SQLite has one writer at a time: a transaction after BEGIN IMMEDIATE holds the whole database, so no row needs a
 * lock.
 */
export class SqliteDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'sqlite';
  private readonly time = new TimeOfStatement();
  readonly clock = sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${this.time})`;
  readonly now = sql`${this.time}`;
  readonly sortKey = sql`created_at`;
  readonly claimOrder = sql`priority, created_at, id`;
  readonly listOrder: Sql;
  readonly forUpdate = empty;
  readonly skipLocked = empty;

  constructor(options: TaskTable) {
    super('sqlite', options);
    // The table's own column: an unqualified name means the formatted text of that name, which no index serves.
    this.listOrder = sql`${this.table}.created_at DESC, ${this.table}.id DESC`;
  }

  protected order(): Sql {
    return sql`${this.table}.priority, ${this.levelOrder()}`;
  }

  protected levelOrder(): Sql {
    return sql`${this.table}.created_at, ${this.table}.id`;
  }

  /** A claimed row has left the index after the commit, so there are no tombstones. */
  protected from(): undefined {}

  protected get owner(): Sql {
    return sql`user_id`;
  }

  idIn(ids: string[]): Sql {
    return sql`id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  }

  after(seconds: number | Sql): Sql {
    return sql`strftime('%Y-%m-%d %H:%M:%f', ${this.time}, ${seconds} || ' seconds')`;
  }

  localAfter(seconds: number, column: LocalTimeColumn = 'updated_at'): Sql {
    const { offsetMinutes, digits } = this.times[column];
    const local = offsetMinutes * 60 + seconds;
    return digits > 0 ? this.after(local) : sql`strftime('%Y-%m-%d %H:%M:%S', 'now', ${`${local} seconds`})`;
  }

  sortTime(text: string): Sql {
    return sql`${text}`;
  }

  bytes(column: string): Sql {
    return sql`LENGTH(CAST(${this.id(column)} AS BLOB))`;
  }

  read(column: string): Sql {
    if (!isTimeColumn(column)) return this.id(column);
    return this.iso(column, isLocalTimeColumn(column) ? isoOffset(this.times[column].offsetMinutes) : 'Z');
  }

  utc(column: string): Sql {
    return this.iso(column, 'Z');
  }

  utcValue(time: Date): string {
    return utcText(time);
  }

  private iso(column: string, zone: string): Sql {
    return sql`strftime('%Y-%m-%dT%H:%M:%f', ${this.id(column)}) || ${zone}`;
  }

  /** There are no round trips to save, and a statement with a constant text is prepared once. */
  insertEach({ columns, rows }: Rows): Statement[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const text = `INSERT INTO ${this.table.sql} (${names}) VALUES (${columns.map(() => '?').join(', ')})`;
    const stored = cellWriter(columns, storedText, this.times);
    return rows.map(({ cells }) => ({ sql: text, text, values: cells.map(stored) }));
  }

  updateEach({ columns, rows }: Rows): Statement[] {
    const assignments = columns.map((column) => `${this.id(column).sql} = ?`);
    const text = `UPDATE ${this.table.sql} SET ${assignments.join(', ')} WHERE id = ?`;
    const stored = cellWriter(columns, storedText, this.times);
    return rows.map(({ id, cells }) => ({ sql: text, text, values: [...cells.map(stored), id] }));
  }
}
