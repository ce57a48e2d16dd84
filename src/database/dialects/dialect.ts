import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { TaskStatusCatalogue } from '../../contract/status.js';
import { TASK_TABLE_COLUMNS } from '../../contract/task.fields.js';
import type { Rows } from '../rows.js';
import type { LocalTimeColumn, StoredTimes } from '../stored-time.js';
import type { Row, Script, Statement } from '../transaction.js';

export type Engine = 'mysql' | 'postgres' | 'sqlite';

/** What the dialects need to know of a registration. It is embedded in the SQL text. */
export interface TaskTable {
  /** Name of the task table, unquoted. */
  table: string;
  status: TaskStatusCatalogue;
  /** PostgreSQL: the schema of the table, if the data source names one. */
  schema?: string | undefined;
  /** How the table keeps `created_at` and `updated_at`. An adopted table keeps them as before. */
  times: StoredTimes;
}

/** A place in the order of claims, without the id. */
export interface Place {
  priority: number;
  /** null comes first. */
  createdAt: Date | null;
}

/** Where ready rows are found in the order of claims: a partial index, or a narrow table that replaces one. */
export interface ReadySource {
  /** FROM clause of ready rows only. */
  rows: Sql;
  /** Condition that makes one of its rows ready. */
  where: Sql;
  /** The column with the task's id. */
  taskId: Sql;
  /** FROM clause that joins each ready row with its task, if the task is another row. */
  tasks: Sql;
  /** A column of the source, with a name that is unambiguous in joins and SELECT lists. */
  column(name: string): Sql;
  /** Order of claims. */
  order: Sql;
  /**
   * Condition that skips rows before a place. undefined if the engine leaves no tombstones to skip. `isOneLevel`: other
   * conditions fix the priority.
   */
  from(place: Place, isOneLevel?: boolean): Sql | undefined;
  /** The same rows in the order of an index in which owners, or groups, can take turns. */
  by(turn: Turn): TurnSource;
}

/** Ready rows by the one who takes turns. `order`: that of claims within one of them and one priority. */
export interface TurnSource extends Pick<ReadySource, 'rows' | 'tasks' | 'order'> {
  /** The owner, or the group, as the index has it. */
  column: Sql;
}

/** Who takes turns. */
export type Turn = 'owner' | 'group';

/** Which values of a column to step through, each once, in their order. */
export interface Steps {
  from: Sql;
  where: Sql;
  column: Sql;
  /** The value before the first one. undefined: from the beginning. */
  after: string | undefined;
  /** The last one to look for. undefined: to the end. */
  upTo?: string | undefined;
  most: number;
}

/** A ready row as a claim reads it: with its task, or with nulls if the task is locked or does not exist. */
export interface ReadyRow extends Row {
  id: string | null;
}

/** SQL that differs between the engines. The store is written once over this. */
export interface Dialect {
  readonly engine: Engine;
  /** How the table keeps `created_at` and `updated_at`. */
  readonly times: StoredTimes;
  /** The task table, quoted. */
  readonly table: Sql;
  /** A side table, quoted: `keys` is `tasks_keys`. */
  beside(suffix: string): Sql;
  /** The clock of the database, UTC, in milliseconds: one time for a whole statement. */
  readonly now: Sql;
  /** When a row must be moved: its due time, or the end of its lease. NULL for all other rows. */
  readonly dueAt: Sql;
  /** The text of `created_at`, as exact as it is stored. A list continues after it. */
  readonly sortKey: Sql;
  readonly ready: ReadySource;
  /**
   * Running rows that their claim has marked: FROM, the same with their tasks, and the condition that makes one of its
   * rows such a row.
   */
  readonly running: { rows: Sql; tasks: Sql; where: Sql };
  /** Order of claims: priority, then oldest, then id. */
  readonly claimOrder: Sql;
  /** Order of lists: newest first, rows without a time last, so that the owner's index serves it backwards. */
  readonly listOrder: Sql;
  /** Condition that a row has one of these ids. The text is the same for any number of ids if the engine allows it. */
  idIn(ids: string[]): Sql;
  /** Condition that a row belongs to an owner, next to one on `created_at` that says where the list begins. */
  ownedFrom(userId: string): Sql;
  /** Locks the rows of a SELECT, and waits for other locks. */
  readonly forUpdate: Sql;
  /** Locks the rows of a SELECT, and skips rows that others hold. */
  readonly skipLocked: Sql;
  /** A quoted identifier. */
  id(name: string): Sql;
  /** Bytes of a column's value as text. */
  bytes(column: string): Sql;
  /** The clock plus this many seconds, which may come from a column. */
  after(seconds: number | Sql): Sql;
  /** The same for `updated_at`, or for `created_at`, in the form in which the table keeps it. */
  localAfter(seconds: number, column?: LocalTimeColumn): Sql;
  /** A value of `sortKey`, to compare `created_at` with. */
  sortTime(text: string): Sql;
  /** Inserts rows whose key does not exist yet. */
  insertNew(table: Sql, columnsAndValues: Sql): Sql;
  /** What an INSERT does to an existing row, which it locks. `id` is the key. */
  onDuplicate(assignments: Sql): Sql;
  /** What an INSERT into `table` does to the row that has its key: adds the new values of these columns. */
  onDuplicateAdd(table: Sql, key: readonly string[], columns: readonly string[]): Sql;
  /** A column in a SELECT list. Our times come as ISO 8601 text if a driver would misread them. */
  read(column: string): Sql;
  /** A time column that is kept in UTC, in a SELECT list, in a form that `new Date()` takes. */
  utc(column: string): Sql;
  /** The value of a time column that is kept in UTC. */
  utcValue(time: Date): string;
  /** The clock in a SELECT list, in a form that `new Date()` takes. */
  readonly clock: Sql;
  /** Statements that insert these rows. */
  insertEach(rows: Rows): Statement[];
  /** Statements that set each of these rows to its own cells. */
  updateEach(rows: Rows): Statement[];
  /** The same for ready rows that a claim has locked, and that start. These statements must run together. */
  startEach(rows: Rows): Statement[];
  /**
   * Removes rows without a ready task among the first `limit` that fit, and returns how many there were. For engines
   * whose ready rows are in a table of their own.
   */
  removeOrphans(fits: Sql, limit: number, source: Pick<ReadySource, 'rows' | 'order'>): Script<number>;
  /** Steps through values, at most `most`. Reads one index entry per value. NULL is none of them. */
  steps(steps: Steps): Script<string[]>;
  /** The first services with ready tasks after this one, at most `most`. */
  readyServices(after: string | undefined, most: number): Script<string[]>;
}

const TIME_COLUMNS: ReadonlySet<string> = new Set(
  Object.keys(TASK_TABLE_COLUMNS).filter((column) => TASK_TABLE_COLUMNS[column]!.kind.endsWith('time')),
);

/** Whether it is a time of the queue. A time column of a host is not. */
export const isTimeColumn = (column: string): boolean => TIME_COLUMNS.has(column);

/** The bytes of these columns of a row together. */
export const sizeOf = (dialect: Dialect, columns: string[]): Sql =>
  join(
    columns.map((column) => sql`COALESCE(${dialect.bytes(column)}, 0)`),
    ' + ',
  );

/** Comma-separated parameters, for IN (…). */
export const list = (values: unknown[]): Sql => join(values);

/** An integer of ours in the SQL text. A parameter would hide it from the predicate of an index. */
export const literal = (value: number): Sql => raw(String(Math.trunc(value)));
