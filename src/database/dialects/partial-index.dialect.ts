import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import { type Engine, literal, type ReadySource, type Steps, type TaskTable } from './dialect.js';
import { dueAt } from './due-at.js';
import { isRunning } from './running.js';
import type { Place } from './dialect.js';
import type { StoredTimes } from '../stored-time.js';
import type { Rows } from '../rows.js';
import { type Script, select, type Statement } from '../transaction.js';

/** What engines with partial indexes share: the ready row is the task's own row. */
export abstract class PartialIndexDialect {
  readonly table: Sql;
  readonly times: StoredTimes;
  readonly dueAt: Sql;
  readonly ready: ReadySource;
  readonly running: { rows: Sql; tasks: Sql; where: Sql };
  private readonly name: string;
  private readonly path: (name: string) => Sql;

  constructor(engine: Engine, { schema, table, status, times }: TaskTable) {
    this.times = times;
    this.path = (name) => (schema ? sql`${this.id(schema)}.${this.id(name)}` : this.id(name));
    this.name = table;
    this.table = this.path(table);
    // Exactly the text of the index.
    this.dueAt = raw(dueAt(engine, status));
    this.running = { rows: this.table, tasks: this.table, where: raw(isRunning(status)) };
    this.ready = {
      rows: this.table,
      where: sql`status = ${literal(status.BEGIN)}`,
      taskId: sql`id`,
      tasks: this.table,
      column: (name) => this.id(name),
      order: this.order(),
      from: (place, isOneLevel) => this.from(place, isOneLevel),
      by: (turn) => ({
        rows: this.table,
        tasks: this.table,
        order: this.levelOrder(),
        column: turn === 'owner' ? this.owner : this.id('group'),
      }),
    };
  }

  protected abstract order(): Sql;
  /** The same within one priority. */
  protected abstract levelOrder(): Sql;
  protected abstract from(place: Place, isOneLevel?: boolean): Sql | undefined;
  /** The owner as its index has it. */
  protected abstract get owner(): Sql;

  beside(suffix: string): Sql {
    return this.path(`${this.name}_${suffix}`);
  }

  id(name: string): Sql {
    return raw(`"${name.replaceAll('"', '""')}"`);
  }

  abstract idIn(ids: string[]): Sql;
  abstract updateEach(rows: Rows): Statement[];

  ownedFrom(userId: string): Sql {
    return sql`user_id = ${userId}`;
  }

  insertNew(table: Sql, columnsAndValues: Sql): Sql {
    return sql`INSERT INTO ${table} ${columnsAndValues} ON CONFLICT DO NOTHING`;
  }

  onDuplicate(assignments: Sql): Sql {
    return sql`ON CONFLICT (id) DO UPDATE SET ${assignments}`;
  }

  onDuplicateAdd(table: Sql, key: readonly string[], columns: readonly string[]): Sql {
    const sums = columns.map((name) => sql`${this.id(name)} = ${table}.${this.id(name)} + excluded.${this.id(name)}`);
    return sql`ON CONFLICT (${join(key.map((name) => this.id(name)))}) DO UPDATE SET ${join(sums)}`;
  }

  /** The ready row is the task's own. */
  startEach(rows: Rows): Statement[] {
    return this.updateEach(rows);
  }

  /** The ready row is the task, so there are no orphans. */
  *removeOrphans(): Script<number> {
    return 0;
  }

  /** A skip scan: each step seeks the next value. */
  *steps({ from, where, column, after, upTo, most }: Steps): Script<string[]> {
    const end = upTo === undefined ? empty : sql`AND ${column} <= ${upTo}`;
    const next = (follows: Sql): Sql => sql`SELECT MIN(${column}) FROM ${from} WHERE ${where} AND ${follows} ${end}`;
    const first = after === undefined ? sql`${column} >= ''` : sql`${column} > ${after}`;
    const found = yield* select<{ name: string }>(
      sql`WITH RECURSIVE steps (name, step) AS (SELECT (${next(first)}), 1
        UNION ALL SELECT (${next(sql`${column} > steps.name`)}), step + 1 FROM steps
          WHERE name IS NOT NULL AND step < ${literal(most)})
        SELECT name FROM steps WHERE name IS NOT NULL`,
    );
    return found.map((row) => row.name);
  }

  readyServices(after: string | undefined, most: number): Script<string[]> {
    const { rows, where } = this.ready;
    return this.steps({ from: rows, where, column: sql`service`, after, most });
  }
}
