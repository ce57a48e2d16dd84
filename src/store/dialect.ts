import { join, raw, type Sql } from 'sql-template-tag';
import type { TaskStatusCatalogue } from '../contract/status.js';
import type { Place } from './low-water.js';
import type { Rows } from './rows.js';
import type { Row, Script, Statement } from './transaction.js';

export type Engine = 'mysql' | 'postgres' | 'sqlite';

/** What the dialects need to know of a registration: SQL text embeds all of it. */
export interface TaskTable {
  /** Name of the task table, unquoted. */
  table: string;
  status: TaskStatusCatalogue;
  /** PostgreSQL: the schema that holds the table, where the data source names one. */
  schema?: string | undefined;
  /** Offset from UTC, in minutes, of `created_at` and `updated_at`; 0 but for adopted tables. */
  offsetMinutes: number;
}

/** Where claimable rows are found in the order of claims: a partial index, or the narrow table that stands for one. */
export interface ReadySource {
  /** FROM clause of ready rows alone. */
  rows: Sql;
  /** Condition that makes a row of it ready. */
  where: Sql;
  /** The column that holds the task's id. */
  taskId: Sql;
  /** FROM clause that joins each ready row with its task, where that is another row. */
  tasks: Sql;
  /** A column of it, by a name that a join and a SELECT list leave clear. */
  column(name: string): Sql;
  /** Order of claims. */
  order: Sql;
  /** Condition that leaves out what is before a place; undefined where the engine has no tombstones to pass over. */
  from(place: Place): Sql | undefined;
}

/** What a claim learns of a ready row: the task, or nothing but nulls where somebody holds it, or where there is none. */
export interface ReadyRow extends Row {
  id: string | null;
}

/** What the engines say differently. The store is written once over this. */
export interface Dialect {
  readonly engine: Engine;
  /** The task table, quoted. */
  readonly table: Sql;
  /** The table of idempotency keys, quoted. */
  readonly keys: Sql;
  /** The table of callbacks, quoted. */
  readonly callbacks: Sql;
  /** The clock of the database, UTC, milliseconds: one time for a whole statement. */
  readonly now: Sql;
  /** When the sweeper must look at a row: when it is due, or when its lease runs out; NULL for all others. */
  readonly dueAt: Sql;
  /** What a list is continued by: the text of `created_at`, as exact as it is stored. */
  readonly sortKey: Sql;
  readonly ready: ReadySource;
  /** Order of claims: priority, then oldest, then id. */
  readonly claimOrder: Sql;
  /** Order of lists: newest first, rows without a time last, as the owner's index has them backwards. */
  readonly listOrder: Sql;
  /** Condition that a row is one of these: the same text however many they are, where the engine has a way. */
  idIn(ids: string[]): Sql;
  /** Condition that a row is an owner's, beside one on `created_at` that says where in his list to begin. */
  ownedFrom(userId: string): Sql;
  /** Locks what a SELECT found, waiting for others. */
  readonly forUpdate: Sql;
  /** Locks what a SELECT found, leaving out what others hold. */
  readonly skipLocked: Sql;
  /** A quoted identifier. */
  id(name: string): Sql;
  /** Bytes of a text column's value. */
  bytes(column: string): Sql;
  /** The clock, so many seconds from now. */
  after(seconds: number): Sql;
  /** The same for `created_at` and `updated_at`, in the offset that the table keeps them in. */
  localAfter(seconds: number): Sql;
  /** What `sortKey` gave, to compare `created_at` with. */
  sortTime(text: string): Sql;
  /** Inserts what has no row of that key yet. */
  insertNew(table: Sql, columnsAndValues: Sql): Sql;
  /** What an INSERT does to a row that is there already, and locked by it; `id` is the key. */
  onDuplicate(assignments: Sql): Sql;
  /** A column as it is selected: times of ours come as ISO 8601 text where a driver would misread them. */
  read(column: string): Sql;
  /** A time column that is kept in UTC, in a SELECT list: what `new Date()` takes. */
  utc(column: string): Sql;
  /** The clock in a SELECT list: what `new Date()` takes. */
  readonly clock: Sql;
  /** Statements that insert these rows. */
  insertEach(rows: Rows): Statement[];
  /** Statements that set each of these rows to its own cells. */
  updateEach(rows: Rows): Statement[];
  /**
   * Removes what is no ready row at all among the first `limit` of those that fit; answers how many they were. For
   * engines whose ready rows are rows of their own.
   */
  removeOrphans(fits: Sql, limit: number): Script<number>;
}

const TIME_COLUMNS = ['run_at', 'lease_expires_at', 'started_at', 'finished_at'];
/** Kept in the table's own offset: the original's columns. */
export const LOCAL_TIME_COLUMNS = ['created_at', 'updated_at'];

export const isTimeColumn = (column: string): boolean =>
  TIME_COLUMNS.includes(column) || LOCAL_TIME_COLUMNS.includes(column);

export const isLocalTimeColumn = (column: string): boolean => LOCAL_TIME_COLUMNS.includes(column);

/** Comma-separated parameters, for IN (…). */
export const list = (values: unknown[]): Sql => join(values);

/** An integer or a word of ours inside SQL text, where a parameter would hide it from an index's predicate. */
export const literal = (value: number): Sql => raw(String(Math.trunc(value)));
