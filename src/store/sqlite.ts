import sql, { empty, join, type Sql } from 'sql-template-tag';
import { FromNow, utcText } from './clock.js';
import { type Dialect, isTimeColumn, LOCAL_TIME_COLUMNS, type RowsUpdate, type TaskTable } from './dialect.js';
import { isoOffset } from './offset.js';
import { PartialIndexDialect } from './partial-index.dialect.js';

/** One writer at a time: whoever is inside BEGIN IMMEDIATE holds the whole database, so no row needs a lock. */
export class SqliteDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'sqlite';
  /** There is no way to the server to spare: a statement that is always the same is prepared once. */
  readonly insertRows = 1;
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

  after(seconds: number): Sql {
    return sql`strftime('%Y-%m-%d %H:%M:%f', 'now', ${`${seconds} seconds`})`;
  }

  localAfter(seconds: number): Sql {
    return this.after(this.options.offsetMinutes * 60 + seconds);
  }

  time(time: Date): Sql {
    return sql`${utcText(time)}`;
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

  updateEach({ columns, rows }: RowsUpdate, returned: Sql): Sql[] {
    return rows.map(({ id, values }) => {
      const assignments = columns.map((column, index) => {
        const value = values[index]!;
        return sql`${this.id(column)} = ${value instanceof FromNow ? this.after(value.seconds) : value}`;
      });
      return sql`UPDATE ${this.table} SET ${join(assignments)}, updated_at = ${this.localAfter(0)}
        WHERE id = ${id} ${this.returning(returned)}`;
    });
  }
}
