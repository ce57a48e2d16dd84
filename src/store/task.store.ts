import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../contract/task.entity.js';
import type { TaskColumns } from './columns.js';
import { type Dialect, list, literal, type TaskTable } from './dialect.js';
import { change, type Script, select } from './transaction.js';

/** A task to be: `status` BEGIN with `runAt` means ready from then on. */
export type NewRow = Record<string, unknown> & { taskId: string; status: number; runAt?: Date | undefined };

/** How many tasks a service has in a status. */
export interface TaskCount {
  service: string;
  status: number;
  count: number;
}

/** Rows of one INSERT: SQLite takes 32,766 parameters. */
const ROWS = 200;

/** Tasks by their ids: each piece a script to run inside a transaction. Written once, over the dialect. */
export class TaskStore<T extends Task> {
  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
    private readonly options: TaskTable,
  ) {}

  *insert(rows: NewRow[]): Script<T[]> {
    for (let from = 0; from < rows.length;) {
      const { names, values } = this.toRow(rows[from]!);
      const tuples = [values];
      // One statement for as many as name the same columns: those that a host's entity leaves out have their defaults.
      for (from += 1; from < rows.length && tuples.length < ROWS; from++) {
        const next = this.toRow(rows[from]!);
        if (next.names.sql !== names.sql) break;
        tuples.push(next.values);
      }
      yield* change(sql`INSERT INTO ${this.dialect.table} (${names}) VALUES ${join(tuples)}`);
    }
    return yield* this.findAll(rows.map((row) => row.taskId));
  }

  *find(taskId: string): Script<T | undefined> {
    const [task] = yield* this.tasks(sql`WHERE id = ${taskId}`);
    return task;
  }

  /** These tasks, in this order; those that are gone are left out. */
  *findAll(ids: string[]): Script<T[]> {
    if (ids.length === 0) return [];
    const tasks = yield* this.tasks(sql`WHERE id IN (${list(ids)})`);
    const place = new Map(ids.map((id, index) => [id, index]));
    return tasks.sort((a, b) => place.get(a.taskId)! - place.get(b.taskId)!);
  }

  /** The task, locked until the transaction ends; with an owner, only that owner's. */
  *lock(taskId: string, userId?: string): Script<T | undefined> {
    const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
    const [task] = yield* this.tasks(sql`WHERE id = ${taskId} ${owned} ${this.dialect.forUpdate}`);
    return task;
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
