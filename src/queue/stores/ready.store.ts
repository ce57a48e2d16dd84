import sql, { join, type Sql } from 'sql-template-tag';
import type { Task } from '../../contract/task.entity.js';
import type { Reading, TaskColumns } from './columns.js';
import { type Dialect, list, literal, type ReadyRow, type TaskTable } from '../../database/dialects/dialect.js';
import type { Allowance, Gates, WaitReason } from '../gates.js';
import { byPlace, LowWater } from './low-water.js';
import { ReadyServices } from './ready-services.js';
import { type Row, type Script, select, together } from '../../database/transaction.js';

/** Which tasks a claim takes. */
export interface TaskFilter {
  service?: string | undefined;
  group?: string | undefined;
  taskId?: string | undefined;
}

/** What a claim found, or why there is nothing if a pause or a limit is the reason. */
export interface Found extends Reading {
  wait?: WaitReason | undefined;
  /** There is nothing because other transactions hold limited services. There may be something once they end. */
  isHeld?: boolean | undefined;
}

/** Services whose tasks no claim gets. */
type Shut = Pick<ReadonlyMap<string, unknown>, 'size' | 'has' | 'keys'>;
const NONE: Shut = new Set<string>();

/** Extra ready rows that a claim reads beyond its limit once it has met rows that it cannot take. */
const CLAIM_SLACK = 32;
/** The most extra rows that a claim reads, even if many of them are orphans. */
const CLAIM_WINDOW = 1024;

/** Filters in one statement: SQLite combines at most 500. */
const PROBED = 200;

/** Finds ready tasks in the order of claims. */
export class ReadyStore<T extends Task> {
  private readonly lowWater = new LowWater();
  private readonly services: ReadyServices;

  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
    private readonly options: TaskTable,
    private readonly gates: Gates,
  ) {
    this.services = new ReadyServices(dialect, gates, (service, group) => this.fits({ service, group }));
  }

  /**
   * Locks ready tasks that fit and that nobody holds: by priority, then oldest first. May find a few more than `limit`
   * if others hold some. `rows` is the most that the transaction may find by all its filters: LongTexts completes them.
   */
  *find(filter: TaskFilter, limit: number, rows = limit, allowance?: Allowance): Script<Found> {
    const { taskId, service, group } = filter;
    if (service !== undefined && this.gates.isClosed(service)) return this.nothing('paused');
    const columns = this.columns.timedListOf(rows);
    if (taskId !== undefined) return yield* this.named(columns, taskId, filter, allowance);
    if (service === undefined) return yield* this.ofAny(columns, group, limit, allowance);
    const left = allowance?.left(service) ?? Infinity;
    if (left < 1) return this.nothing(allowance!.reason(service));
    return this.columns.toReading(yield* this.oldestOf(columns, service, group, Math.min(limit, left)));
  }

  private nothing(wait?: WaitReason): Found {
    return { ...this.columns.toReading([]), wait };
  }

  private inOrder(rows: Row[]): Row[] {
    const tasks = rows.map((row) => ({ row, task: this.columns.toTask(row) }));
    return tasks.sort((a, b) => byClaimOrder(a.task, b.task)).map(({ row }) => row);
  }

  /** Called when this process has made a task ready. */
  madeReady(task: T): void {
    this.lowWater.lower(task);
  }

  /** Called for rows that were found but not taken, after their locks are released. */
  left(rows: Row[]): void {
    for (const row of rows) this.lowWater.lower(this.columns.toTask(row));
  }

  /**
   * Which of the filters have ready tasks that a claim would get. A few statements answer for any number of filters.
   * Takes no locks.
   */
  *probe(filters: TaskFilter[]): Script<boolean[]> {
    const services = filters.map(({ service }) => service);
    const shut = yield* this.gates.shut(services.every((name) => name !== undefined) ? services : undefined);
    const open = filters.filter(({ service }) => service === undefined || !shut.has(service));
    const found = new Set<TaskFilter>();
    for (let start = 0; start < open.length; start += PROBED) {
      const some = open.slice(start, start + PROBED);
      const answers = yield* this.probeSome(some, shut);
      some.filter((_, place) => answers[place]).forEach((filter) => found.add(filter));
    }
    const isOfAny = ({ service, taskId }: TaskFilter): boolean => service === undefined && taskId === undefined;
    // For such filters the statement counts the tasks of shut services, too.
    if ([...found].some(isOfAny) && !(yield* this.services.hasOpen(shut)))
      for (const filter of [...found].filter(isOfAny)) found.delete(filter);
    return filters.map((filter) => found.has(filter));
  }

  private *probeSome(filters: TaskFilter[], shut: Shut): Script<boolean[]> {
    const questions = filters.map(
      (filter, place) =>
        sql`SELECT place FROM (SELECT ${literal(place)} AS place) filter_${literal(place)} WHERE EXISTS (${this.any(filter, shut)})`,
    );
    const rows = yield* select<{ place: unknown }>(sql`${join(questions, ' UNION ALL ')}`);
    const found = new Set(rows.map((row) => Number(row.place)));
    return filters.map((_, place) => found.has(place));
  }

  /** A group without a service has no index. Any ready task is reason enough to look; the claim itself looks closer. */
  private any({ service, group, taskId }: TaskFilter, shut: Shut): Sql {
    const { dialect } = this;
    if (taskId !== undefined)
      return sql`SELECT 1 FROM ${dialect.table} WHERE ${this.isNamed(taskId, { service, group }, shut)}`;
    const fits = this.fits(service === undefined ? {} : { service, group });
    return sql`SELECT 1 FROM ${dialect.ready.rows} WHERE ${join([dialect.ready.where, ...fits], ' AND ')}`;
  }

  private isNamed(taskId: string, filter: TaskFilter, shut: Shut): Sql {
    const begin = literal(this.options.status.BEGIN);
    return join(
      [
        sql`id = ${taskId}`,
        sql`status = ${begin}`,
        ...fitting(filter, (name) => this.dialect.id(name)),
        ...(shut.size === 0 ? [] : [sql`service NOT IN (${list([...shut.keys()])})`]),
      ],
      ' AND ',
    );
  }

  /** One named task, if it is ready, not held, and fits the filter. */
  private *one(columns: Sql, taskId: string, filter: TaskFilter, shut: Shut): Script<Row[]> {
    return yield* select(
      sql`SELECT ${columns} FROM ${this.dialect.table} WHERE ${this.isNamed(taskId, filter, shut)} ${this.dialect.skipLocked}`,
    );
  }

  /** The service of a named task is only known once it is read: that of a limited one is locked before the task is. */
  private *named(columns: Sql, taskId: string, filter: TaskFilter, allowance?: Allowance): Script<Found> {
    const closed = this.gates.closedServices;
    const limited = allowance ? this.gates.limits!.services : [];
    const free = yield* this.one(columns, taskId, filter, new Set([...closed, ...limited]));
    if (free.length > 0 || closed.size + limited.length === 0) return this.columns.toReading(free);
    const [task] = yield* select<{ service: string }>(
      sql`SELECT service FROM ${this.dialect.table} WHERE ${this.isNamed(taskId, filter, NONE)}`,
    );
    if (!task) return this.nothing();
    if (closed.has(task.service)) return this.nothing('paused');
    if (!allowance) return this.nothing();
    yield* allowance.enter([task.service], allowance.mayWait);
    if (allowance.isHeld(task.service)) return { ...this.nothing(), isHeld: true };
    if (allowance.left(task.service) < 1) return this.nothing(allowance.reason(task.service));
    return this.columns.toReading(yield* this.one(columns, taskId, filter, closed));
  }

  private *ofAny(columns: Sql, group: string | undefined, limit: number, allowance?: Allowance): Script<Found> {
    const { shares, wait } = yield* this.services.shares(group, limit, allowance);
    const most = (name: string): number => allowance?.left(name) ?? Infinity;
    const chosen = [...shares].filter(([, share]) => share > 0);
    const found = (yield* together(
      chosen.map(([name, share]) => this.oldestOf(columns, name, group, Math.min(share, most(name)))),
    )).flat();
    const wanted = chosen.reduce((sum, [, share]) => sum + share, 0);
    // Others hold some of these tasks: continue with the next ones, of any service.
    for (const [name, share] of shares) {
      const missing = wanted - found.length;
      if (missing <= 0) break;
      if (allowance) yield* allowance.enter([name]);
      if (most(name) < 1) continue;
      const ids = new Set(found.map((row) => row.id));
      const more = yield* this.oldestOf(columns, name, group, Math.min(share + missing, most(name)));
      found.push(...more.filter(({ id }) => !ids.has(id)));
    }
    if (found.length === 0) return { ...this.nothing(wait), isHeld: allowance?.meetsOthers };
    return this.columns.toReading(this.inOrder(found));
  }

  /** Locks ready tasks of one service in the order of its index. Rows below the mark are mostly tombstones. */
  private *oldestOf(columns: Sql, service: string, group: string | undefined, limit: number): Script<Row[]> {
    const fits = [this.dialect.ready.where, ...this.fits({ service, group })];
    const look = this.lowWater.look(service, group);
    const { start } = look;
    const above = start && this.dialect.ready.from(start);
    let found = above ? yield* this.scan(columns, [...fits, above], limit) : [];
    if (found.length === 0 && (!above || look.mayTurn)) {
      const since = performance.now();
      found = yield* this.scan(columns, fits, limit);
      look.tookAtFront(performance.now() - since);
    }
    if (found.length > 0) look.reached(this.columns.toTask(found.at(-1)!));
    return found;
  }

  private *scan(columns: Sql, conditions: Sql[], limit: number): Script<Row[]> {
    const { dialect } = this;
    const fits = join(conditions, ' AND ');
    let window = limit;
    for (;;) {
      const rows = yield* select<ReadyRow>(
        sql`SELECT ${columns} FROM ${dialect.ready.tasks} WHERE ${fits}
          ORDER BY ${dialect.ready.order} LIMIT ${window} ${dialect.skipLocked}`,
      );
      const free = rows.filter((row) => row.id !== null);
      if (free.length === rows.length) return free;
      const orphans = yield* dialect.removeOrphans(fits, window);
      const held = rows.length - free.length - orphans;
      // Enough rows, or no more rows, or as many held rows as a claim should read.
      const tired = held > CLAIM_SLACK || window > limit + CLAIM_WINDOW;
      if (free.length >= limit || rows.length < window || tired) return free;
      window += CLAIM_SLACK;
    }
  }

  private fits(filter: Omit<TaskFilter, 'taskId'>): Sql[] {
    return fitting(filter, this.dialect.ready.column);
  }
}

const byClaimOrder = (a: Task, b: Task): number => byPlace(a, b) || (a.taskId < b.taskId ? -1 : 1);

const fitting = ({ service, group }: TaskFilter, column: (name: string) => Sql): Sql[] => [
  ...(service === undefined ? [] : [sql`${column('service')} = ${service}`]),
  ...(group === undefined ? [] : [sql`${column('group')} = ${group}`]),
];
