import sql, { type Sql } from 'sql-template-tag';
import { type Dialect } from './dialect.js';
import { PartialIndexDialect } from './partial-index.dialect.js';

export class PostgresDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'postgres';
  /** Not clock_timestamp(), which may differ from row to row, so that no index can serve a comparison with it. */
  readonly now = sql`statement_timestamp()`;
  readonly sortKey = sql`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
  readonly claimOrder = sql`priority, created_at NULLS FIRST, id`;
  readonly listOrder = sql`created_at DESC NULLS LAST, id DESC`;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  after(seconds: number): Sql {
    return sql`(statement_timestamp() + make_interval(secs => ${seconds}::double precision))`;
  }

  /** `timestamptz` knows its own zone. */
  localAfter(seconds: number): Sql {
    return this.after(seconds);
  }

  time(time: Date): Sql {
    return sql`${time.toISOString()}::timestamptz`;
  }

  sortTime(text: string): Sql {
    return sql`${`${text}+00`}::timestamptz`;
  }

  bytes(column: string): Sql {
    return sql`OCTET_LENGTH(${this.id(column)})`;
  }

  read(column: string): Sql {
    return this.id(column);
  }
}
