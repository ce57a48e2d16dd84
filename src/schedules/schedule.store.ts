import sql, { empty, type Sql } from 'sql-template-tag';
import { type Dialect, list, literal } from '../database/dialects/dialect.js';
import { change, post, type Row, type Script, select } from '../database/transaction.js';
import type { Definition, ScheduleRun, ScheduleState } from './schedule.js';
import type { SchedulePlace } from './schedule-place.js';

/** A schedule as it is kept. */
export interface ScheduleRow {
  id: string;
  userId: string;
  key: string;
  definition: Definition;
  isCode: boolean;
  paused: boolean;
  nextFor: Date | null;
  waitsFor: Date | null;
  dueAt: Date | null;
  lastFor: Date | null;
  lastTaskId: string | null;
  /** Newest first. */
  runs: ScheduleRun[];
  createdAt: Date;
  updatedAt: Date;
}

/** What moves on when a schedule was due. */
export type Progress = Pick<ScheduleRow, 'nextFor' | 'waitsFor' | 'dueAt' | 'lastFor' | 'lastTaskId' | 'runs'>;

const STATES: Record<ScheduleState, Sql> = {
  active: sql`paused = 0 AND (next_for IS NOT NULL OR waits_for IS NOT NULL)`,
  paused: sql`paused = 1`,
  ended: sql`paused = 0 AND next_for IS NULL AND waits_for IS NULL`,
};

/** Schedules in the database. */
export class ScheduleStore {
  private readonly table: Sql;
  private readonly columns: Sql;

  constructor(private readonly dialect: Dialect) {
    this.table = dialect.beside('schedules');
    const time = (column: string): Sql => sql`${dialect.utc(column)} AS ${dialect.id(`${column}_iso`)}`;
    this.columns = sql`id, user_id, schedule_key, definition, is_code, paused, last_task_id, runs, ${time('next_for')},
      ${time('waits_for')}, ${time('due_at')}, ${time('last_for')}, ${time('created_at')}, ${time('updated_at')}`;
  }

  /** The database's time. */
  *now(): Script<Date> {
    const [row] = yield* select<{ softdd_now: string | number }>(sql`SELECT ${this.dialect.clock} AS softdd_now`);
    return new Date(row!.softdd_now);
  }

  *find(id: string): Script<ScheduleRow | undefined> {
    return (yield* this.some(sql`WHERE id = ${id}`))[0];
  }

  /** The same, locked. */
  *lock(id: string): Script<ScheduleRow | undefined> {
    return (yield* this.some(sql`WHERE id = ${id} ${this.dialect.forUpdate}`))[0];
  }

  /** Those that are due, for the longest time first. Takes no locks. */
  *due(limit: number): Script<ScheduleRow[]> {
    return yield* this.some(sql`WHERE due_at <= ${this.dialect.now} ORDER BY due_at LIMIT ${limit}`);
  }

  /** Locks those of them that are still due. Skips those that another process holds. */
  *lockDue(ids: string[]): Script<ScheduleRow[]> {
    const { dialect } = this;
    return yield* this.some(sql`WHERE id IN (${list(ids)}) AND due_at <= ${dialect.now} ${dialect.skipLocked}`);
  }

  /** By owner and key. With an owner: only that owner's. */
  *list(userId: string | undefined, after: SchedulePlace | undefined, limit: number): Script<ScheduleRow[]> {
    return yield* this.some(sql`${this.range(userId, after)} LIMIT ${literal(limit)}`);
  }

  /**
   * The same of one state. It looks at the next `size` schedules, and says where they end. undefined: there are no more.
   */
  *listOf(
    state: ScheduleState,
    userId: string | undefined,
    after: SchedulePlace | undefined,
    limit: number,
    size: number,
  ): Script<{ rows: ScheduleRow[]; end: SchedulePlace | undefined }> {
    const range = this.range(userId, after);
    const found = yield* select<{ id: string }>(
      sql`SELECT id FROM (SELECT id, user_id, schedule_key, paused, next_for, waits_for FROM ${this.table}
        ${range} LIMIT ${literal(size)}) looked WHERE ${STATES[state]} ORDER BY user_id, schedule_key LIMIT ${literal(limit)}`,
    );
    const [last] = yield* select<{ user_id: string; schedule_key: string }>(
      sql`SELECT user_id, schedule_key FROM ${this.table} ${range} LIMIT 1 OFFSET ${literal(size - 1)}`,
    );
    const ids = found.map(({ id }) => id);
    const rows =
      ids.length === 0 ? [] : yield* this.some(sql`WHERE id IN (${list(ids)}) ORDER BY user_id, schedule_key`);
    return { rows, end: last && [last.user_id, last.schedule_key] };
  }

  /** Those that option `schedules` has, or had. */
  *ofCode(): Script<ScheduleRow[]> {
    return yield* this.some(sql`WHERE is_code = 1 ORDER BY schedule_key`);
  }

  *count(userId: string, most: number): Script<number> {
    const rows = yield* select(sql`SELECT 1 AS found FROM ${this.table} WHERE user_id = ${userId} LIMIT ${most}`);
    return rows.length;
  }

  /** Inserts it, unless there is one: then nothing changes, and the row is locked until the transaction ends. */
  *insert(row: Omit<ScheduleRow, 'lastFor' | 'lastTaskId' | 'runs' | 'updatedAt'>): Script<void> {
    const { dialect, table } = this;
    const madeAt = this.time(row.createdAt);
    yield* change(
      sql`INSERT INTO ${table} (id, user_id, schedule_key, definition, is_code, paused, next_for, due_at, created_at, updated_at)
        VALUES (${row.id}, ${row.userId}, ${row.key}, ${JSON.stringify(row.definition)}, ${row.isCode ? 1 : 0},
          ${row.paused ? 1 : 0}, ${this.time(row.nextFor)}, ${this.time(row.dueAt)}, ${madeAt}, ${madeAt})
        ${dialect.onDuplicate(sql`user_id = ${row.userId}`)}`,
    );
  }

  /** Writes what its owner has changed. */
  *define(row: ScheduleRow): Script<void> {
    const { dialect, table } = this;
    yield* change(
      sql`UPDATE ${table} SET definition = ${JSON.stringify(row.definition)}, is_code = ${row.isCode ? 1 : 0},
        paused = ${row.paused ? 1 : 0}, next_for = ${this.time(row.nextFor)}, waits_for = ${this.time(row.waitsFor)},
        due_at = ${this.time(row.dueAt)}, updated_at = ${dialect.now} WHERE id = ${row.id}`,
    );
  }

  /** Moves it on. */
  *advance(id: string, to: Progress): Script<void> {
    yield* post(
      sql`UPDATE ${this.table} SET next_for = ${this.time(to.nextFor)}, waits_for = ${this.time(to.waitsFor)},
        due_at = ${this.time(to.dueAt)}, last_for = ${this.time(to.lastFor)}, last_task_id = ${to.lastTaskId},
        runs = ${JSON.stringify(to.runs)} WHERE id = ${id}`,
    );
  }

  *delete(id: string): Script<number> {
    return yield* change(sql`DELETE FROM ${this.table} WHERE id = ${id}`);
  }

  private range(userId: string | undefined, after: SchedulePlace | undefined): Sql {
    const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
    const from = after
      ? sql`AND (user_id > ${after[0]} OR user_id = ${after[0]} AND schedule_key > ${after[1]})`
      : empty;
    return sql`WHERE 1 = 1 ${owned} ${from} ORDER BY user_id, schedule_key`;
  }

  private time(value: Date | null): string | null {
    return value && this.dialect.utcValue(value);
  }

  private *some(clause: Sql): Script<ScheduleRow[]> {
    return (yield* select(sql`SELECT ${this.columns} FROM ${this.table} ${clause}`)).map(toSchedule);
  }
}

const timeOr = (value: unknown): Date | null => (value === null ? null : new Date(value as string | number));

function toSchedule(row: Row): ScheduleRow {
  const runs = row.runs === null ? [] : (JSON.parse(row.runs as string) as ScheduleRun[]);
  return {
    id: row.id as string,
    userId: row.user_id as string,
    key: row.schedule_key as string,
    definition: JSON.parse(row.definition as string) as Definition,
    isCode: Number(row.is_code) === 1,
    paused: Number(row.paused) === 1,
    nextFor: timeOr(row.next_for_iso),
    waitsFor: timeOr(row.waits_for_iso),
    dueAt: timeOr(row.due_at_iso),
    lastFor: timeOr(row.last_for_iso),
    lastTaskId: row.last_task_id as string | null,
    runs: runs.map((run) => ({ ...run, scheduledFor: new Date(run.scheduledFor) })),
    createdAt: timeOr(row.created_at_iso)!,
    updatedAt: timeOr(row.updated_at_iso)!,
  };
}
