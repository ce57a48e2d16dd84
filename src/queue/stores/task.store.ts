import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../../contract/task.entity.js';
import type { Reading, TaskColumns, TaskValues } from './columns.js';
import { type Dialect, literal, type TaskTable } from '../../database/dialects/dialect.js';
import { LongTexts } from './long-texts.js';
import type { UniqueRow } from '../unique.js';
import { alike, type Rows } from '../../database/rows.js';
import { change, postLast, type Script, select, type Statement } from '../../database/transaction.js';

/** A task to insert. `status` BEGIN with `runAt` means ready from that time on. */
export type NewRow = Record<string, unknown> & { taskId: string; status: number; runAt?: Date | undefined };

/** The new values of a locked task. */
export interface TaskChange<T extends Task> {
  task: T;
  values: TaskValues;
  /** Marks the row: while it runs, it counts for the limit of its service. */
  isMarked?: true;
}

/** Column and cell. The column is not the entity's. */
const MARK = ['limited', 1] as const;

/** Whose a task is, where in its life, and its unique key. */
export interface TaskState extends UniqueRow {
  id: string;
  userId: string;
  service: string;
  status: number;
  /** null: it belongs to no batch. */
  batchId: string | null;
}

/** How many tasks a service has in a status. */
export interface TaskCount {
  service: string;
  status: number;
  count: number;
}

/** Tasks by id. Each method is a script to run inside a transaction, written once over the dialect. */
export class TaskStore<T extends Task> {
  readonly longTexts: LongTexts<T>;

  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
    private readonly options: TaskTable,
  ) {
    this.longTexts = new LongTexts(dialect, columns);
  }

  *insert(given: NewRow[]): Script<T[]> {
    if (given.length === 0) return [];
    const { dialect, columns } = this;
    const [clock] = yield* select<{ softdd_now: string | number }>(sql`SELECT ${dialect.clock} AS softdd_now`);
    const now = new Date(clock!.softdd_now);
    const { createdAt, updatedAt } = columns.stamps(now);
    const rows = given.map((row) => Object.assign({}, row, { status: this.statusOf(row, now), createdAt, updatedAt }));
    const toWrite = rows.map((row) => columns.toRow(row.taskId, row, now));
    yield* postLast([...alike(toWrite)].flatMap((some) => dialect.insertEach(some)));
    if (columns.hasOwn) return yield* this.findAll(rows.map((row) => row.taskId));
    return rows.map((row) => columns.toNewTask(row, now));
  }

  *find(taskId: string): Script<T | undefined> {
    return yield* this.one(sql`WHERE id = ${taskId}`);
  }

  /** These tasks, in this order. Deleted ones are left out. */
  *findAll(ids: string[]): Script<T[]> {
    const tasks: T[] = [];
    yield* this.each(ids, (task) => tasks.push(task) > 0);
    return tasks;
  }

  /** The same, one task at a time, until `take` returns false. */
  *each(ids: string[], take: (task: T) => boolean): Script<void> {
    if (ids.length === 0) return;
    const { dialect, columns } = this;
    const rows = yield* select(
      sql`SELECT ${columns.listOf(ids.length)} FROM ${dialect.table} WHERE ${dialect.idIn(ids)}`,
    );
    const known = new Map(rows.map((row) => [row.id as string, row]));
    const inOrder = ids.map((id) => known.get(id)).filter((row) => row !== undefined);
    yield* this.longTexts.each(inOrder, take);
  }

  /** The task, locked until the transaction ends. With an owner: only if it is that owner's. */
  *lock(taskId: string, userId?: string): Script<T | undefined> {
    const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
    return yield* this.one(sql`WHERE id = ${taskId} ${owned} ${this.dialect.forUpdate}`);
  }

  /** Locks those of the tasks that nobody else holds, or waits for the others, too. */
  *lockFree(ids: string[], mayWait = false): Script<Reading> {
    const { columns, dialect } = this;
    const where = sql`WHERE ${dialect.idIn(ids)} ${mayWait ? sql`ORDER BY id ${dialect.forUpdate}` : dialect.skipLocked}`;
    return columns.toReading(
      yield* select(sql`SELECT ${columns.timedListOf(ids.length)} FROM ${dialect.table} ${where}`),
    );
  }

  /** Locks this task, and waits while somebody else holds it. The row and the time are read after the wait. */
  *lockOne(taskId: string): Script<Reading> {
    const { table, forUpdate } = this.dialect;
    const lock = sql`SELECT id FROM ${table} WHERE id = ${taskId} ${forUpdate}`;
    const [, read] = yield [lock, sql`SELECT ${this.columns.timedListOf(1)} FROM ${table} WHERE id = ${taskId}`];
    return this.columns.toReading(read!.rows);
  }

  /** Those of the ids that exist. */
  *present(ids: string[]): Script<Set<string>> {
    if (ids.length === 0) return new Set();
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${this.dialect.table} WHERE ${this.dialect.idIn(ids)}`,
    );
    return new Set(rows.map((row) => row.id));
  }

  /** Owner and status of those of the tasks that exist. */
  *states(ids: string[]): Script<TaskState[]> {
    return yield* this.someStates(ids, empty);
  }

  /** The same, locked, in the order of the ids, so that two such calls cannot deadlock. With an owner: only its own. */
  *lockAll(ids: string[], userId?: string): Script<TaskState[]> {
    const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
    return yield* this.someStates(ids, sql`${owned} ORDER BY id ${this.dialect.forUpdate}`);
  }

  /** Writes these values to tasks that the caller has locked. Returns the tasks as they are now. */
  *update(ids: string[], values: Record<string, unknown>): Script<T[]> {
    if (ids.length === 0) return [];
    const assignments = [...this.columns.toAssignments(values), sql`updated_at = ${this.dialect.localAfter(0)}`];
    yield* change(sql`UPDATE ${this.dialect.table} SET ${join(assignments)} WHERE ${this.dialect.idIn(ids)}`);
    return yield* this.findAll(ids);
  }

  /**
   * The same with different values for each task, which the caller has just read under its lock. The values are written
   * as of the time of that read, so the result is known without another read.
   */
  *updateEach(changes: TaskChange<T>[], now: Date): Script<T[]> {
    return yield* this.writeEach(changes, now, (rows) => this.dialect.updateEach(rows));
  }

  /** The same for ready tasks that start. */
  *startEach(changes: TaskChange<T>[], now: Date): Script<T[]> {
    return yield* this.writeEach(changes, now, (rows) => this.dialect.startEach(rows));
  }

  /** Fails if the task table, or a column of it, is not there. Reads no row. */
  *probe(): Script<void> {
    yield* this.one(sql`WHERE 1 = 0`);
  }

  *delete(ids: string[]): Script<number> {
    if (ids.length === 0) return 0;
    return yield* change(sql`DELETE FROM ${this.dialect.table} WHERE ${this.dialect.idIn(ids)}`);
  }

  /** How many of an owner's tasks have none of these statuses. Counts up to `most`. */
  *countOthers(userId: string, statuses: readonly number[], most: number): Script<number> {
    const [row] = yield* select<{ count: unknown }>(
      sql`SELECT COUNT(*) AS count FROM (SELECT 1 FROM ${this.dialect.table} WHERE user_id = ${userId}
        AND status NOT IN (${join(statuses.map(literal))}) LIMIT ${most}) active`,
    );
    return Number(row!.count);
  }

  *counts(): Script<TaskCount[]> {
    const rows = yield* select<{ service: string; status: unknown; count: unknown }>(
      sql`SELECT service, status, COUNT(*) AS count FROM ${this.dialect.table} GROUP BY service, status
        ORDER BY service, status`,
    );
    return rows.map(({ service, status, count }) => ({ service, status: Number(status), count: Number(count) }));
  }

  private *writeEach(changes: TaskChange<T>[], now: Date, write: (rows: Rows) => Statement[]): Script<T[]> {
    const { columns } = this;
    const { updatedAt } = columns.stamps(now);
    const toWrite = changes.map(({ task, values, isMarked }) => {
      const row = columns.toRow(task.taskId, Object.assign({}, values, { updatedAt }), now);
      return isMarked ? columns.withOther(row, ...MARK) : row;
    });
    yield* postLast([...alike(toWrite)].map(write));
    return changes.map(({ task, values }) => columns.become(task, values, now));
  }

  private *someStates(ids: string[], clause: Sql): Script<TaskState[]> {
    if (ids.length === 0) return [];
    const { id, table, idIn } = this.dialect;
    const names = { userId: 'user_id', uniqueKey: 'unique_key', uniqueRule: 'unique_rule', batchId: 'batch_id' };
    const columns = Object.entries(names).map(([property, column]) => sql`${id(column)} AS ${id(property)}`);
    const rows = yield* select<TaskState>(
      sql`SELECT id, service, status, ${join(columns)} FROM ${table} WHERE ${idIn(ids)} ${clause}`,
    );
    return rows.map((row) => ({ ...row, status: Number(row.status) }));
  }

  /**
   * By the database's clock, not ours: a task that is due already does not wait for the next run of the job that moves
   * due rows.
   */
  private statusOf({ status, runAt }: NewRow, now: Date): number {
    const { BEGIN, WAITING } = this.options.status;
    if (!runAt) return status;
    return runAt <= now ? BEGIN : WAITING;
  }

  private *one(clause: Sql): Script<T | undefined> {
    const [row] = yield* select(sql`SELECT ${this.columns.listOf(1)} FROM ${this.dialect.table} ${clause}`);
    return row && this.columns.toTask(row);
  }
}
