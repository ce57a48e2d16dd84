import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../../contract/task.entity.js';
import { type Dialect, list, literal, type ReadyRow, type ReadySource } from '../../database/dialects/dialect.js';
import { type Row, type Script, select } from '../../database/transaction.js';
import type { TurnKey } from '../turn-order.js';
import type { TaskColumns } from './columns.js';
import { LowWater, type Part } from './low-water.js';

/** Extra ready rows that a claim reads beyond its limit once it has met rows that it cannot take. */
const CLAIM_SLACK = 32;
/** The most extra rows that a claim reads, even if many of them are orphans. */
const CLAIM_WINDOW = 1024;

type Source = Pick<ReadySource, 'rows' | 'tasks' | 'order'>;

/** Ready tasks of one service that an owner or a group has at one priority. */
export interface Head {
  service: string;
  priority: number;
  turn: 'owner' | 'group';
  key: TurnKey;
}

/** Locks ready tasks in the order of an index. */
export class ReadyScan<T extends Task> {
  private readonly lowWater = new LowWater();

  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
  ) {}

  /** Called when this process has made a task ready. */
  madeReady(task: T): void {
    this.lowWater.lower(task);
  }

  /** Called for rows that were found but not taken, after their locks are released. */
  left(rows: Row[]): void {
    for (const row of rows) this.lowWater.lower(this.columns.toTask(row));
  }

  /** The first ready tasks of a service, or of one of its groups. */
  *oldest(columns: Sql, service: string, group: string | undefined, limit: number): Script<Row[]> {
    const { ready } = this.dialect;
    const fits = [...this.of(service), ...(group === undefined ? [] : [sql`${ready.column('group')} = ${group}`])];
    return yield* this.fromMark(columns, { service, group }, fits, limit, ready);
  }

  /** The first ready tasks of an owner or a group, without those of some owners. */
  *head(columns: Sql, head: Head, without: readonly string[], limit: number): Script<Row[]> {
    const { service, priority, turn, key } = head;
    const source = this.dialect.ready.by(turn);
    const fits = [
      ...this.of(service),
      sql`${this.dialect.ready.column('priority')} = ${literal(priority)}`,
      key === null ? sql`${source.column} IS NULL` : sql`${source.column} = ${key}`,
      ...this.without(without),
    ];
    // What is skipped now may be free later, below the mark.
    if (without.length > 0) return yield* this.scan(columns, fits, limit, source);
    return yield* this.fromMark(columns, { service, [turn]: key, priority }, fits, limit, source);
  }

  /** The first ready tasks after a priority, without those of some owners. It reads and skips those. */
  *others(
    columns: Sql,
    { service, group, above }: { service: string; group?: string | undefined; above?: number | undefined },
    without: readonly string[],
    limit: number,
  ): Script<Row[]> {
    const { ready } = this.dialect;
    const fits = [
      ...this.of(service),
      ...(group === undefined ? [] : [sql`${ready.column('group')} = ${group}`]),
      ...(above === undefined ? [] : [sql`${ready.column('priority')} > ${literal(above)}`]),
      ...this.without(without),
    ];
    return yield* this.scan(columns, fits, limit, ready);
  }

  /** Whether there is a ready task of other owners than these. It reads and skips those of these. Takes no locks. */
  *hasOthers(service: string, without: readonly string[]): Script<boolean> {
    const { ready } = this.dialect;
    const fits = join([...this.of(service), ...this.without(without)], ' AND ');
    return (yield* select(sql`SELECT 1 FROM ${ready.rows} WHERE ${fits} LIMIT 1`)).length > 0;
  }

  /** The first priority after another with ready tasks of a service. Takes no locks. */
  *level(service: string, above: number | undefined): Script<number | undefined> {
    const { ready } = this.dialect;
    const after = above === undefined ? empty : sql`AND ${ready.column('priority')} > ${literal(above)}`;
    const [row] = yield* select<{ level: unknown }>(
      sql`SELECT MIN(${ready.column('priority')}) AS level FROM ${ready.rows}
        WHERE ${join(this.of(service), ' AND ')} ${after}`,
    );
    return row!.level === null ? undefined : Number(row!.level);
  }

  private of(service: string): Sql[] {
    const { ready } = this.dialect;
    return [ready.where, sql`${ready.column('service')} = ${service}`];
  }

  private without(owners: readonly string[]): Sql[] {
    return owners.length === 0 ? [] : [sql`${this.dialect.ready.column('user_id')} NOT IN (${list([...owners])})`];
  }

  /** Rows below the mark are mostly tombstones. */
  private *fromMark(columns: Sql, part: Part, fits: Sql[], limit: number, source: Source): Script<Row[]> {
    const look = this.lowWater.look(part);
    const { start } = look;
    const above = start && this.dialect.ready.from(start, part.priority !== undefined);
    let found = above ? yield* this.scan(columns, [...fits, above], limit, source) : [];
    if (found.length === 0 && (!above || look.mayTurn)) {
      const since = performance.now();
      found = yield* this.scan(columns, fits, limit, source);
      look.tookAtFront(performance.now() - since);
    }
    if (found.length > 0) look.reached(this.columns.toTask(found.at(-1)!));
    return found;
  }

  private *scan(columns: Sql, conditions: Sql[], limit: number, source: Source): Script<Row[]> {
    const { dialect } = this;
    const fits = join(conditions, ' AND ');
    let window = limit;
    for (;;) {
      const rows = yield* select<ReadyRow>(
        sql`SELECT ${columns} FROM ${source.tasks} WHERE ${fits}
          ORDER BY ${source.order} LIMIT ${window} ${dialect.skipLocked}`,
      );
      const free = rows.filter((row) => row.id !== null);
      if (free.length === rows.length) return free;
      const orphans = yield* dialect.removeOrphans(fits, window, source);
      const held = rows.length - free.length - orphans;
      // Enough rows, or no more rows, or as many held rows as a claim should read.
      const tired = held > CLAIM_SLACK || window > limit + CLAIM_WINDOW;
      if (free.length >= limit || rows.length < window || tired) return free;
      window += CLAIM_SLACK;
    }
  }
}
