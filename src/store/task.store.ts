import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../contract/task.entity.js';
import type { Reading, TaskColumns, TaskValues } from './columns.js';
import { type Dialect, literal, type TaskTable } from './dialect.js';
import { alike, type RowToWrite } from './rows.js';
import { change, postLast, type Script, select } from './transaction.js';

/** A task to be: `status` BEGIN with `runAt` means ready from then on. */
export type NewRow = Record<string, unknown> & { taskId: string; status: number; runAt?: Date | undefined };

/** What a task, as it was locked, becomes. */
export interface TaskChange<T extends Task> {
  task: T;
  values: TaskValues;
}

/** How many tasks a service has in a status. */
export interface TaskCount {
  service: string;
  status: number;
  count: number;
}

/** Tasks by their ids: each piece a script to run inside a transaction. Written once, over the dialect. */
export class TaskStore<T extends Task> {
  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
    private readonly options: TaskTable,
  ) {}

  *insert(given: NewRow[]): Script<T[]> {
    if (given.length === 0) return [];
    const { dialect, columns } = this;
    const [clock] = yield* select<{ softdd_now: string | number }>(sql`SELECT ${dialect.clock} AS softdd_now`);
    const now = new Date(clock!.softdd_now);
    const rows = given.map((row) => ({ ...this.readyAt(row, now), createdAt: now, updatedAt: now }));
    const toWrite = rows.map((row) => this.toWrite(row.taskId, row, now));
    yield* postLast([...alike(toWrite)].flatMap((some) => dialect.insertEach(some)));
    if (columns.hasOwn) return yield* this.findAll(rows.map((row) => row.taskId));
    return rows.map((row) => columns.toNewTask(row, now));
  }

  *find(taskId: string): Script<T | undefined> {
    const [task] = yield* this.tasks(sql`WHERE id = ${taskId}`);
    return task;
  }

  /** These tasks, in this order; those that are gone are left out. */
  *findAll(ids: string[]): Script<T[]> {
    if (ids.length === 0) return [];
    const tasks = yield* this.tasks(sql`WHERE ${this.dialect.idIn(ids)}`);
    return this.inOrder(ids, tasks);
  }

  /** The task, locked until the transaction ends; with an owner, only that owner's. */
  *lock(taskId: string, userId?: string): Script<T | undefined> {
    const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
    const [task] = yield* this.tasks(sql`WHERE id = ${taskId} ${owned} ${this.dialect.forUpdate}`);
    return task;
  }

  /** Those of these tasks that nobody else holds, locked. */
  *lockFree(ids: string[]): Script<Reading<T>> {
    return yield* this.reading(sql`${this.dialect.idIn(ids)} ${this.dialect.skipLocked}`);
  }

  /** This task, locked, however long somebody else holds it: what is read, and the time, are those after the wait. */
  *lockOne(taskId: string): Script<Reading<T>> {
    const { table, forUpdate } = this.dialect;
    const lock = sql`SELECT id FROM ${table} WHERE id = ${taskId} ${forUpdate}`;
    const [, read] = yield [lock, this.timed(sql`id = ${taskId}`)];
    return this.columns.toReading(read!.rows);
  }

  /** Those of these ids that there are. */
  *present(ids: string[]): Script<Set<string>> {
    if (ids.length === 0) return new Set();
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${this.dialect.table} WHERE ${this.dialect.idIn(ids)}`,
    );
    return new Set(rows.map((row) => row.id));
  }

  /** An owner's tasks among these ids, locked in the order of their ids, so that two such calls can't deadlock. */
  *lockOwn(ids: string[], userId: string): Script<{ id: string; status: number }[]> {
    if (ids.length === 0) return [];
    return yield* select<{ id: string; status: number }>(
      sql`SELECT id, status FROM ${this.dialect.table} WHERE user_id = ${userId} AND ${this.dialect.idIn(ids)}
        ORDER BY id ${this.dialect.forUpdate}`,
    );
  }

  /** Replaces what is given, in tasks that the caller has locked. Answers them as they are now. */
  *update(ids: string[], values: Record<string, unknown>): Script<T[]> {
    if (ids.length === 0) return [];
    const assignments = [...this.columns.toAssignments(values), sql`updated_at = ${this.dialect.localAfter(0)}`];
    yield* change(sql`UPDATE ${this.dialect.table} SET ${join(assignments)} WHERE ${this.dialect.idIn(ids)}`);
    return yield* this.findAll(ids);
  }

  /**
   * The same for tasks that become different things, as they were just read under their locks. What they become is
   * written by the time of that reading, and so known without another one.
   */
  *updateEach(changes: TaskChange<T>[], now: Date): Script<T[]> {
    const toWrite = changes.map(({ task, values }) => this.toWrite(task.taskId, { ...values, updatedAt: now }, now));
    yield* postLast([...alike(toWrite)].flatMap((some) => this.dialect.updateEach(some)));
    return changes.map(({ task, values }) => this.columns.become(task, values, now));
  }

  *delete(ids: string[]): Script<number> {
    if (ids.length === 0) return 0;
    return yield* change(sql`DELETE FROM ${this.dialect.table} WHERE ${this.dialect.idIn(ids)}`);
  }

  /** How many of an owner's tasks have none of these statuses; looks no further than `most`. */
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

  private inOrder(ids: string[], tasks: T[]): T[] {
    const known = new Map(tasks.map((task) => [task.taskId, task]));
    return ids.flatMap((id) => known.get(id) ?? []);
  }

  private toWrite(id: string, values: TaskValues, now: Date): RowToWrite {
    return { id, cells: this.columns.toCells(values, now) };
  }

  /** By the database's clock, not ours: what is due already needn't wait for the sweeper. */
  private readyAt(row: NewRow, now: Date): NewRow {
    const { BEGIN, WAITING } = this.options.status;
    return row.runAt ? { ...row, status: row.runAt <= now ? BEGIN : WAITING } : row;
  }

  private *reading(where: Sql): Script<Reading<T>> {
    return this.columns.toReading(yield* select(this.timed(where)));
  }

  private timed(where: Sql): Sql {
    return sql`SELECT ${this.columns.timedList} FROM ${this.dialect.table} WHERE ${where}`;
  }

  private *tasks(clause: Sql): Script<T[]> {
    const rows = yield* select(sql`SELECT ${this.columns.list} FROM ${this.dialect.table} ${clause}`);
    return rows.map((row) => this.columns.toTask(row));
  }
}
