import sql, { raw, type Sql } from 'sql-template-tag';
import {
  type ConfirmedRows,
  type Dialect,
  literal,
  type ReadyRow,
  type ReadySource,
  type TaskTable,
} from './dialect.js';
import type { Script } from './transaction.js';

export class PostgresDialect implements Dialect {
  readonly engine = 'postgres';
  readonly table: Sql;
  readonly now = sql`clock_timestamp()`;
  /** `timestamptz` knows its own zone. */
  readonly localNow = sql`clock_timestamp()`;
  readonly ready: ReadySource;
  readonly claimOrder = sql`priority, created_at NULLS FIRST, id`;
  readonly listOrder = sql`created_at DESC NULLS LAST, id DESC`;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  constructor(options: TaskTable) {
    this.table = options.schema ? sql`${this.id(options.schema)}.${this.id(options.table)}` : this.id(options.table);
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
    return sql`OCTET_LENGTH(${this.id(column)})`;
  }

  read(column: string): Sql {
    return this.id(column);
  }

  *confirm(rows: ReadyRow[]): Script<ConfirmedRows> {
    return { free: rows.map((row) => row.id), held: 0 };
  }
}
