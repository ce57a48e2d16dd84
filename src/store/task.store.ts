import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../contract/task.entity.js';
import type { TaskColumns } from './columns.js';
import { type CellValue, type Dialect, list, literal, type RowsUpdate, type TaskTable } from './dialect.js';
import { change, type Row, type Script, select } from './transaction.js';

/** A task to be: `status` BEGIN with `runAt` means ready from then on. */
export type NewRow = Record<string, unknown> & { taskId: string; status: number; runAt?: Date | undefined };

/** What a task becomes: properties of the queue's own; undefined leaves one alone. */
export interface TaskChange {
  taskId: string;
  values: Record<string, CellValue | undefined>;
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

  /** Answers them as they are now. */
  *insert(rows: NewRow[]): Script<T[]> {
    const { dialect, columns } = this;
    const inserted: Row[] = [];
    for (const { names, tuples } of this.statements(rows)) {
      const insert = sql`INSERT INTO ${dialect.table} (${names}) VALUES ${join(tuples)} ${dialect.returning(columns.list)}`;
      inserted.push(...(yield* select(insert)));
    }
    return yield* this.answered(
      rows.map((row) => row.taskId),
      inserted,
    );
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
  *lockFree(ids: string[]): Script<Map<string, T>> {
    const tasks = yield* this.tasks(sql`WHERE id IN (${list(ids)}) ${this.dialect.skipLocked}`);
    return new Map(tasks.map((task) => [task.taskId, task]));
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

  /** The same for tasks that become different things. */
  *updateEach(changes: TaskChange[]): Script<T[]> {
    const { dialect, columns } = this;
    const changed: Row[] = [];
    for (const update of this.alike(changes))
      for (const statement of dialect.updateEach(update, columns.list)) changed.push(...(yield* select(statement)));
    return yield* this.answered(
      changes.map((change) => change.taskId),
      changed,
    );
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

  /** What writes answered, in the order of their ids; read where they answer nothing. */
  private *answered(ids: string[], rows: Row[]): Script<T[]> {
    if (rows.length < ids.length) return yield* this.findAll(ids);
    return this.inOrder(
      ids,
      rows.map((row) => this.columns.toTask(row)),
    );
  }

  private inOrder(ids: string[], tasks: T[]): T[] {
    const known = new Map(tasks.map((task) => [task.taskId, task]));
    return ids.map((id) => known.get(id)).filter((task) => task !== undefined);
  }

  /** One for as many rows as name the same columns: those that a host's entity leaves out have their defaults. */
  private *statements(rows: NewRow[]): Generator<{ names: Sql; tuples: Sql[] }> {
    let open: { names: Sql; tuples: Sql[]; chars: number } | undefined;
    for (const row of rows) {
      const { names, values } = this.toRow(row);
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
  private *alike(changes: TaskChange[]): Generator<RowsUpdate> {
    const open = new Map<string, RowsUpdate & { chars: number }>();
    for (const { taskId, values } of changes) {
      const cells = Object.entries(values).filter(([, value]) => value !== undefined) as [string, CellValue][];
      const kind = cells.map(([name, value]) => `${name}:${value === null ? 'null' : typeof value}`).join();
      const chars = sizeOf(cells.map(([, value]) => value));
      let update = open.get(kind);
      if (!update || update.chars + chars > STATEMENT_CHARS) {
        if (update) yield update;
        update = { columns: cells.map(([name]) => this.columns.nameOf(name)), rows: [], chars: 0 };
        open.set(kind, update);
      }
      update.rows.push({ id: taskId, values: cells.map(([, value]) => value) });
      update.chars += chars;
    }
    yield* open.values();
  }

  private toRow({ runAt, ...values }: NewRow): { names: Sql; values: Sql } {
    const { dialect } = this;
    const row = this.columns.toRow({ ...values, status: runAt ? undefined : values.status });
    const names = [...row.map(([column]) => column), dialect.id('created_at'), dialect.id('updated_at')];
    const given = [...row.map(([, value]) => sql`${value}`), dialect.localAfter(0), dialect.localAfter(0)];
    if (runAt) {
      names.push(dialect.id('run_at'), dialect.id('status'));
      given.push(dialect.time(runAt), this.readyAt(runAt));
    }
    return { names: join(names), values: sql`(${join(given)})` };
  }

  /** By the database's clock, not ours: what is due already needn't wait for the sweeper. */
  private readyAt(runAt: Date): Sql {
    const { BEGIN, WAITING } = this.options.status;
    const { dialect } = this;
    return sql`CASE WHEN ${dialect.time(runAt)} <= ${dialect.now} THEN ${literal(BEGIN)} ELSE ${literal(WAITING)} END`;
  }

  private *tasks(clause: Sql): Script<T[]> {
    const rows = yield* select(sql`SELECT ${this.columns.list} FROM ${this.dialect.table} ${clause}`);
    return rows.map((row) => this.columns.toTask(row));
  }
}

/** Characters of the texts among values. */
const sizeOf = (values: unknown[]): number =>
  values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
