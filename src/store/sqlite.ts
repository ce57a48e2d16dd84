import sql, { empty, type Sql } from 'sql-template-tag';
import { shifted, utcText } from './clock.js';
import {
  type CellValue,
  type Dialect,
  isLocalTimeColumn,
  isTimeColumn,
  LOCAL_TIME_COLUMNS,
  type RowsUpdate,
  type TaskTable,
} from './dialect.js';
import { isoOffset } from './offset.js';
import { PartialIndexDialect } from './partial-index.dialect.js';
import type { Statement } from './transaction.js';

/** One writer at a time: whoever is inside BEGIN IMMEDIATE holds the whole database, so no row needs a lock. */
export class SqliteDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'sqlite';
  /** There is no way to the server to spare: a statement that is always the same is prepared once. */
  readonly insertRows = 1;
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

  after(seconds: number): Sql {
    return sql`strftime('%Y-%m-%d %H:%M:%f', 'now', ${`${seconds} seconds`})`;
  }

  localAfter(seconds: number): Sql {
    return this.after(this.options.offsetMinutes * 60 + seconds);
  }

  time(time: Date): Sql {
    return sql`${utcText(time)}`;
  }

  localTime(time: Date): Sql {
    return this.time(shifted(time, this.options.offsetMinutes));
  }

  sortTime(text: string): Sql {
    return sql`${text}`;
  }

  bytes(column: string): Sql {
    return sql`LENGTH(CAST(${this.id(column)} AS BLOB))`;
  }

  read(column: string): Sql {
    if (!isTimeColumn(column)) return this.id(column);
    const zone = LOCAL_TIME_COLUMNS.includes(column) ? isoOffset(this.options.offsetMinutes) : 'Z';
    return sql`strftime('%Y-%m-%dT%H:%M:%f', ${this.id(column)}) || ${zone}`;
  }

  updateEach({ columns, rows }: RowsUpdate): Statement[] {
    const assignments = columns.map((column) => `${this.id(column).sql} = ?`);
    const text = `UPDATE ${this.table.sql} SET ${assignments.join(', ')} WHERE id = ?`;
    const valueOf = (cell: CellValue, index: number): unknown =>
      cell instanceof Date ? this.text(cell, columns[index]!) : cell;
    return rows.map(({ id, values }) => ({ sql: text, text, values: [...values.map(valueOf), id] }));
  }

  private text(time: Date, column: string): string {
    return utcText(isLocalTimeColumn(column) ? shifted(time, this.options.offsetMinutes) : time);
  }
}
