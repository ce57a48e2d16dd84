import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../contract/task.entity.js';
import type { Reading, TaskColumns, TaskValues } from './columns.js';
import { type Dialect, list, literal, type RowsUpdate, type TaskTable } from './dialect.js';
import { change, post, type Script, select, type Statement } from './transaction.js';

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

/** Characters of one statement, but for a row that is longer: MySQL takes 16 MB in a packet, or what it is set to. */
const STATEMENT_CHARS = 1_000_000;

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
    const [clock] = yield* select<{ softdd_now: string | Date }>(sql`SELECT ${dialect.clock} AS softdd_now`);
    const now = new Date(clock!.softdd_now);
    const rows = given.map((row) => this.readyAt(row, now));
    const inserts = this.statements(rows, now);
    yield* postLast(
      [...inserts].map(({ names, tuples }) => sql`INSERT INTO ${dialect.table} (${names}) VALUES ${join(tuples)}`),
    );
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
    const tasks = yield* this.tasks(sql`WHERE id IN (${list(ids)})`);
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
    return yield* this.reading(sql`id IN (${list(ids)}) ${this.dialect.skipLocked}`);
  }

  /** This task, locked, however long somebody else holds it: the time is that after the wait. */
  *lockOne(taskId: string): Script<Reading<T>> {
    if (!(yield* this.lock(taskId))) return { tasks: [], now: new Date(0) };
    return yield* this.reading(sql`id = ${taskId}`);
  }

  /** Those of these ids that there are. */
  *present(ids: string[]): Script<Set<string>> {
    if (ids.length === 0) return new Set();
    const rows = yield* select<{ id: string }>(sql`SELECT id FROM ${this.dialect.table} WHERE id IN (${list(ids)})`);
    return new Set(rows.map((row) => row.id));
  }

  /** An owner's tasks among these ids, locked in the order of their ids, so that two such calls can't deadlock. */
  *lockOwn(ids: string[], userId: string): Script<{ id: string; status: number }[]> {
    if (ids.length === 0) return [];
    return yield* select<{ id: string; status: number }>(
      sql`SELECT id, status FROM ${this.dialect.table} WHERE user_id = ${userId} AND id IN (${list(ids)})
        ORDER BY id ${this.dialect.forUpdate}`,
    );
  }

  /** Replaces what is given, in tasks that the caller has locked. Answers them as they are now. */
  *update(ids: string[], values: Record<string, unknown>): Script<T[]> {
    if (ids.length === 0) return [];
    const assignments = [...this.columns.toAssignments(values), sql`updated_at = ${this.dialect.localAfter(0)}`];
    yield* change(sql`UPDATE ${this.dialect.table} SET ${join(assignments)} WHERE id IN (${list(ids)})`);
    return yield* this.findAll(ids);
  }

  /**
   * The same for tasks that become different things, as they were just read under their locks. What they become is
   * written by the time of that reading, and so known without another one.
   */
  *updateEach(changes: TaskChange<T>[], now: Date): Script<T[]> {
    yield* postLast([...this.alike(changes, now)].flatMap((update) => this.dialect.updateEach(update)));
    return changes.map(({ task, values }) => this.columns.become(task, values, now));
  }

  *delete(ids: string[]): Script<number> {
    if (ids.length === 0) return 0;
    return yield* change(sql`DELETE FROM ${this.dialect.table} WHERE id IN (${list(ids)})`);
  }

  /** How many of an owner's tasks have none of these statuses; looks no further than `most`. */
  *countOthers(userId: string, statuses: number[], most: number): Script<number> {
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

  /** One for as many rows as name the same columns: those that a host's entity leaves out have their defaults. */
  private *statements(rows: NewRow[], now: Date): Generator<{ names: Sql; tuples: Sql[] }> {
    let open: { names: Sql; tuples: Sql[]; chars: number } | undefined;
    for (const row of rows) {
      const { names, values } = this.toRow({ ...row, createdAt: now, updatedAt: now });
      const chars = sizeOf(Object.values(row));
      const fits =
        open?.names.sql === names.sql &&
        open.tuples.length < this.dialect.insertRows &&
        open.chars + chars <= STATEMENT_CHARS;
      if (open && !fits) yield open;
      if (!open || !fits) open = { names, tuples: [], chars: 0 };
      open.tuples.push(values);
      open.chars += chars;
    }
    if (open) yield open;
  }

  /** Changes of the same columns to values of the same kinds, in statements of bounded length. */
  private *alike(changes: TaskChange<T>[], now: Date): Generator<RowsUpdate> {
    const open = new Map<string, RowsUpdate & { chars: number }>();
    for (const { task, values } of changes) {
      const cells = Object.entries({ ...values, updatedAt: now })
        .filter(([, value]) => value !== undefined)
        .map(([property, value]) => this.columns.toCell(property, value, now));
      const kind = cells.map(([column, value]) => `${column}:${value === null ? 'null' : typeof value}`).join();
      const chars = sizeOf(cells.map(([, value]) => value));
      let update = open.get(kind);
      if (!update || update.chars + chars > STATEMENT_CHARS) {
        if (update) yield update;
        update = { columns: cells.map(([column]) => column), rows: [], chars: 0 };
        open.set(kind, update);
      }
      update.rows.push({ id: task.taskId, values: cells.map(([, value]) => value) });
      update.chars += chars;
    }
    yield* open.values();
  }

  private toRow(row: NewRow): { names: Sql; values: Sql } {
    const columns = this.columns.toRow(row);
    return {
      names: join(columns.map(([column]) => column)),
      values: sql`(${join(columns.map(([, value]) => sql`${value}`))})`,
    };
  }

  /** By the database's clock, not ours: what is due already needn't wait for the sweeper. */
  private readyAt(row: NewRow, now: Date): NewRow {
    const { BEGIN, WAITING } = this.options.status;
    return row.runAt ? { ...row, status: row.runAt <= now ? BEGIN : WAITING } : row;
  }

  private *reading(where: Sql): Script<Reading<T>> {
    return this.columns.toReading(
      yield* select(sql`SELECT ${this.columns.timedList} FROM ${this.dialect.table} WHERE ${where}`),
    );
  }

  private *tasks(clause: Sql): Script<T[]> {
    const rows = yield* select(sql`SELECT ${this.columns.list} FROM ${this.dialect.table} ${clause}`);
    return rows.map((row) => this.columns.toTask(row));
  }
}

/** Characters of the texts among values. */
const sizeOf = (values: unknown[]): number =>
  values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);

/** Writes; the last one may travel with what comes after it, while many together might be too much for a packet. */
function* postLast(statements: Statement[]): Script<void> {
  for (const statement of statements.slice(0, -1)) yield* change(statement);
  const last = statements.at(-1);
  if (last) yield* post(last);
}
