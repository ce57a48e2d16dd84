import sql, { empty, raw, type Sql } from 'sql-template-tag';
import {
  type ConfirmedRows,
  type Dialect,
  isTimeColumn,
  literal,
  LOCAL_TIME_COLUMNS,
  type ReadyRow,
  type ReadySource,
  type TaskTable,
} from './dialect.js';
import { isoOffset } from './offset.js';
import type { Script } from './transaction.js';

/** One writer at a time: whoever is inside BEGIN IMMEDIATE holds the whole database, so no row needs a lock. */
export class SqliteDialect implements Dialect {
  readonly engine = 'sqlite';
  readonly table: Sql;
  readonly now = sql`strftime('%Y-%m-%d %H:%M:%f', 'now')`;
  readonly localNow: Sql;
  readonly ready: ReadySource;
  readonly claimOrder = sql`priority, created_at, id`;
  readonly listOrder: Sql;
  readonly forUpdate = empty;
  readonly skipLocked = empty;

  constructor(private readonly options: TaskTable) {
    this.table = this.id(options.table);
    // The table's own column: an unqualified name is the formatted text of that name, which no index serves.
    this.listOrder = sql`${this.table}.created_at DESC, ${this.table}.id DESC`;
    this.localNow = sql`strftime('%Y-%m-%d %H:%M:%f', 'now', ${`${options.offsetMinutes} minutes`})`;
    this.ready = {
      from: this.table,
      where: sql`status = ${literal(options.status.BEGIN)}`,
      taskId: sql`id`,
      row: sql`id`,
    };
  }

  id(name: string): Sql {
    return raw(`"${name.replaceAll('"', '""')}"`);
  }

  bytes(column: string): Sql {
    return sql`LENGTH(CAST(${this.id(column)} AS BLOB))`;
  }

  read(column: string): Sql {
    if (!isTimeColumn(column)) return this.id(column);
    const zone = LOCAL_TIME_COLUMNS.includes(column) ? isoOffset(this.options.offsetMinutes) : 'Z';
    return sql`strftime('%Y-%m-%dT%H:%M:%f', ${this.id(column)}) || ${zone}`;
  }

  *confirm(rows: ReadyRow[]): Script<ConfirmedRows> {
    return { free: rows.map((row) => row.id), held: 0 };
  }
}
