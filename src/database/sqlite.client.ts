/** What we use of better-sqlite3's API; libsql has the same. */
export interface SqliteStatement {
  reader: boolean;
  columns(): { name: string }[];
  /** From now on a row is the array of its cells. */
  raw(): this;
  all(...values: unknown[]): unknown[][];
  run(...values: unknown[]): { changes: number };
}

export interface SqliteClient {
  readonly inTransaction: boolean;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  close(): void;
}

/** The class that the driver's package exports. */
export type SqliteClientClass = new (file: string, options: Record<string, unknown>) => SqliteClient;
