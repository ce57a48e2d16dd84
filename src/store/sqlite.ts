import sql, { empty, type Sql } from 'sql-template-tag';
import { cellWriter, utcText } from './clock.js';
import { type Dialect, isTimeColumn, LOCAL_TIME_COLUMNS, type TaskTable } from './dialect.js';
import { isoOffset } from './offset.js';
import { PartialIndexDialect } from './partial-index.dialect.js';
import type { Rows } from './rows.js';
import type { Statement } from './transaction.js';

/** One writer at a time: whoever is inside BEGIN IMMEDIATE holds the whole database, so no row needs a lock. */
export class SqliteDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'sqlite';
  readonly clock = sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`;
  readonly now = sql`strftime('%Y-%m-%d %H:%M:%f', 'now')`;
  readonly sortKey = sql`created_at`;
  readonly claimOrder = sql`priority, created_at, id`;
  readonly listOrder: Sql;
  readonly forUpdate = empty;
  readonly skipLocked = empty;

  constructor(private readonly options: TaskTable) {
    super(options);
    // The table's own column: an unqualified name is the formatted text of that name, which no index serves.
    this.listOrder = sql`${this.table}.created_at DESC, ${this.table}.id DESC`;
  }

  protected order(): Sql {
    return sql`${this.table}.priority, ${this.table}.created_at, ${this.table}.id`;
  }

  /** What was claimed has left the index by the commit. */
  protected from(): undefined {}

  idIn(ids: string[]): Sql {
    return sql`id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  }

  after(seconds: number): Sql {
    return sql`strftime('%Y-%m-%d %H:%M:%f', 'now', ${`${seconds} seconds`})`;
  }

  localAfter(seconds: number): Sql {
    return this.after(this.options.offsetMinutes * 60 + seconds);
  }

  sortTime(text: string): Sql {
    return sql`${text}`;
  }

  bytes(column: string): Sql {
    return sql`LENGTH(CAST(${this.id(column)} AS BLOB))`;
  }

  read(column: string): Sql {
    if (!isTimeColumn(column)) return this.id(column);
    return this.iso(column, LOCAL_TIME_COLUMNS.includes(column) ? isoOffset(this.options.offsetMinutes) : 'Z');
  }

  utc(column: string): Sql {
    return this.iso(column, 'Z');
  }

  private iso(column: string, zone: string): Sql {
    return sql`strftime('%Y-%m-%dT%H:%M:%f', ${this.id(column)}) || ${zone}`;
  }

  /** There is no way to the server to spare: a statement that is always the same is prepared once. */
  insertEach({ columns, rows }: Rows): Statement[] {
    const names = columns.map((column) => this.id(column).sql).join(', ');
    const text = `INSERT INTO ${this.table.sql} (${names}) VALUES (${columns.map(() => '?').join(', ')})`;
    const stored = cellWriter(columns, utcText, this.options.offsetMinutes);
    return rows.map(({ cells }) => ({ sql: text, text, values: cells.map(stored) }));
  }

  updateEach({ columns, rows }: Rows): Statement[] {
    const assignments = columns.map((column) => `${this.id(column).sql} = ?`);
    const text = `UPDATE ${this.table.sql} SET ${assignments.join(', ')} WHERE id = ?`;
    const stored = cellWriter(columns, utcText, this.options.offsetMinutes);
    return rows.map(({ id, cells }) => ({ sql: text, text, values: [...cells.map(stored), id] }));
  }
}
