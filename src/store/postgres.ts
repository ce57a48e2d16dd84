import sql, { type Sql } from 'sql-template-tag';
import { type Dialect } from './dialect.js';
import { PartialIndexDialect } from './partial-index.dialect.js';

export class PostgresDialect extends PartialIndexDialect implements Dialect {
  readonly engine = 'postgres';
  readonly now = sql`clock_timestamp()`;
  /** `timestamptz` knows its own zone. */
  readonly localNow = sql`clock_timestamp()`;
  readonly claimOrder = sql`priority, created_at NULLS FIRST, id`;
  readonly listOrder = sql`created_at DESC NULLS LAST, id DESC`;
  readonly forUpdate = sql`FOR UPDATE`;
  readonly skipLocked = sql`FOR UPDATE SKIP LOCKED`;

  bytes(column: string): Sql {
    return sql`OCTET_LENGTH(${this.id(column)})`;
  }

  read(column: string): Sql {
    return this.id(column);
  }
}
