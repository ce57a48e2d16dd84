import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Task } from '../contract/task.entity.js';
import type { Reading, TaskColumns } from './columns.js';
import { type Dialect, literal, type ReadyRow, type TaskTable } from './dialect.js';
import { LowWater } from './low-water.js';
import { type Row, type Script, select } from './transaction.js';

/** Which tasks a claim takes. */
export interface TaskFilter {
  service?: string | undefined;
  group?: string | undefined;
  taskId?: string | undefined;
}

/** Ready rows that a claim asks for beyond its limit, when it met some that it can't have. */
const CLAIM_SLACK = 32;
/** The most that it asks for, however many of them are orphans. */
const CLAIM_WINDOW = 1024;

/** Filters that one statement asks for: SQLite joins 500 at most. */
const PROBED = 200;

/** Ready tasks, found in the order of claims. */
export class ReadyStore<T extends Task> {
  private readonly lowWater = new LowWater();

  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
    private readonly options: TaskTable,
  ) {}

  /** Ready tasks that fit and that nobody holds, locked: by priority, then oldest first. */
  *find(filter: TaskFilter, limit: number): Script<Reading<T>> {
    const { taskId } = filter;
    return this.columns.toReading(
      taskId === undefined ? yield* this.oldest(filter, limit) : yield* this.one(taskId, filter),
    );
  }

  /** Tells of a task that this process made ready. */
  madeReady(task: T): void {
    this.lowWater.lower(task);
  }

  /** Which of these filters have ready tasks, however many there are in a few statements. Locks nothing. */
  *probe(filters: TaskFilter[]): Script<boolean[]> {
    const found: boolean[] = [];
    while (found.length < filters.length)
      found.push(...(yield* this.probeSome(filters.slice(found.length, found.length + PROBED))));
    return found;
  }

  private *probeSome(filters: TaskFilter[]): Script<boolean[]> {
    const questions = filters.map(
      (filter, place) =>
        sql`SELECT place FROM (SELECT ${literal(place)} AS place) filter_${literal(place)} WHERE EXISTS (${this.any(filter)})`,
    );
    const rows = yield* select<{ place: unknown }>(sql`${join(questions, ' UNION ALL ')}`);
    const found = new Set(rows.map((row) => Number(row.place)));
    return filters.map((_, place) => found.has(place));
  }

  /** A group of any service has no index: any ready task is reason enough to look, and the claim looks closer. */
  private any({ service, group, taskId }: TaskFilter): Sql {
    const { dialect } = this;
    if (taskId !== undefined)
      return sql`SELECT 1 FROM ${dialect.table} WHERE ${this.named(taskId, { service, group })}`;
    const fits = this.fits(service === undefined ? {} : { service, group });
    return sql`SELECT 1 FROM ${dialect.ready.rows} WHERE ${join([dialect.ready.where, ...fits], ' AND ')}`;
  }

  private named(taskId: string, filter: TaskFilter): Sql {
    const begin = literal(this.options.status.BEGIN);
    return join(
      [sql`id = ${taskId}`, sql`status = ${begin}`, ...fitting(filter, (name) => this.dialect.id(name))],
      ' AND ',
    );
  }

  /** One named task, if it is ready, nobody holds it, and it fits the filter. */
  private *one(taskId: string, filter: TaskFilter): Script<Row[]> {
    return yield* select(
      sql`SELECT ${this.columns.timedList} FROM ${this.dialect.table} WHERE ${this.named(taskId, filter)} ${this.dialect.skipLocked}`,
    );
  }

  private *oldest(filter: TaskFilter, limit: number): Script<Row[]> {
    const taken: Row[] = [];
    const services = filter.service === undefined ? yield* this.readyServices(filter) : [filter.service];
    for (const service of services) {
      if (taken.length < limit) taken.push(...(yield* this.oldestOf(service, filter.group, limit - taken.length)));
    }
    return taken;
  }

  /** Ready tasks of one service, in the order of its index, locked. Rows below the mark are tombstones, mostly. */
  private *oldestOf(service: string, group: string | undefined, limit: number): Script<Row[]> {
    const fits = [this.dialect.ready.where, ...this.fits({ service, group })];
    const look = this.lowWater.look(service, group);
    const { start } = look;
    const above = start && this.dialect.ready.from(start);
    let found = above ? yield* this.scan([...fits, above], limit) : [];
    if (found.length === 0 && (!above || look.mayTurn)) {
      const since = performance.now();
      found = yield* this.scan(fits, limit);
      look.tookAtFront(performance.now() - since);
    }
    if (found.length > 0) look.reached(this.columns.toTask(found.at(-1)!));
    return found;
  }

  private *scan(conditions: Sql[], limit: number): Script<Row[]> {
    const { dialect } = this;
    const fits = join(conditions, ' AND ');
    let window = limit;
    for (;;) {
      const rows = yield* select<ReadyRow>(
        sql`SELECT ${this.columns.timedList} FROM ${dialect.ready.tasks} WHERE ${fits}
          ORDER BY ${dialect.ready.order} LIMIT ${window} ${dialect.skipLocked}`,
      );
      const free = rows.filter((row) => row.id !== null);
      if (free.length === rows.length) return free;
      const orphans = yield* dialect.removeOrphans(fits, window);
      const held = rows.length - free.length - orphans;
      // Enough, or all that there is, or as far as a claim should wade through what others hold.
      const tired = held > CLAIM_SLACK || window > limit + CLAIM_WINDOW;
      if (free.length >= limit || rows.length < window || tired) return free.slice(0, limit);
      window += CLAIM_SLACK;
    }
  }

  /**
   * The services that have ready tasks, the one whose head comes first in the order of claims first. Reads two index
   * entries a service, however long their queues are: a skip scan, then the heads.
   */
  private *readyServices(filter: TaskFilter): Script<string[]> {
    const { rows, where } = this.dialect.ready;
    const services: { service: string }[] = [];
    // One by one: MariaDB reads the whole index for a recursive query over a correlated one, and for DISTINCT.
    for (let after: Sql = empty; ; after = sql`AND service > ${services.at(-1)!.service}`) {
      const next = yield* select<{ service: string }>(
        sql`SELECT service FROM ${rows} WHERE ${where} ${after} ORDER BY service LIMIT 1`,
      );
      if (next.length === 0) break;
      services.push(...next);
    }
    if (services.length < 2) return services.map((row) => row.service);
    const heads = services.map(({ service }) => this.head(service, filter.group));
    const ordered = yield* select<{ service: string }>(
      sql`SELECT service FROM (${join(heads, ' UNION ALL ')}) heads ORDER BY ${this.dialect.claimOrder}`,
    );
    return ordered.map((row) => row.service);
  }

  private head(service: string, group: string | undefined): Sql {
    const { ready, claimOrder } = this.dialect;
    return sql`SELECT * FROM (SELECT service, priority, created_at, ${ready.taskId} FROM ${ready.rows}
      WHERE ${join([ready.where, ...this.fits({ service, group })], ' AND ')} ORDER BY ${claimOrder} LIMIT 1) head`;
  }

  private fits(filter: Omit<TaskFilter, 'taskId'>): Sql[] {
    return fitting(filter, this.dialect.ready.column);
  }
}

const fitting = ({ service, group }: TaskFilter, column: (name: string) => Sql): Sql[] => [
  ...(service === undefined ? [] : [sql`${column('service')} = ${service}`]),
  ...(group === undefined ? [] : [sql`${column('group')} = ${group}`]),
];
