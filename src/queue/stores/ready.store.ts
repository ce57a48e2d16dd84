import sql, { join, type Sql } from 'sql-template-tag';
import type { Task } from '../../contract/task.entity.js';
import type { Reading, TaskColumns } from './columns.js';
import { type Dialect, list, literal, type TaskTable } from '../../database/dialects/dialect.js';
import type { Allowance, Gates, Turns, WaitReason } from '../gates.js';
import { byPlace } from './low-water.js';
import { ReadyScan } from './ready-scan.js';
import { ReadyServices } from './ready-services.js';
import { ReadyTurns } from './ready-turns.js';
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

/** Filters in one statement: SQLite combines at most 500. */
const PROBED = 200;

/** Finds ready tasks in the order of claims. */
export class ReadyStore<T extends Task> {
  private readonly services: ReadyServices;
  private readonly scan: ReadyScan<T>;
  private readonly inTurn: ReadyTurns<T>;

  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
    private readonly options: TaskTable,
    private readonly gates: Gates,
  ) {
    this.services = new ReadyServices(dialect, gates, (service, group) => this.fits({ service, group }));
    this.scan = new ReadyScan(dialect, columns);
    this.inTurn = new ReadyTurns(dialect, this.scan);
  }

  /**
   * Locks ready tasks that fit and that nobody holds: by priority, then in turn, or oldest first. May find a few more than `limit`
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
    const found = yield* this.of(columns, service, group, Math.min(limit, left), allowance);
    const isFull = found.length === 0 && allowance?.turns(service)?.isCapped;
    // All owners with ready tasks are at the limit for owners.
    const wait = isFull && (yield* this.scan.level(service, undefined)) !== undefined ? 'limit' : undefined;
    return { ...this.columns.toReading(eachOnce(found)), wait };
  }

  private *of(
    columns: Sql,
    service: string,
    group: string | undefined,
    limit: number,
    allowance: Allowance | undefined,
  ): Script<Row[]> {
    const turns = allowance?.turns(service);
    if (turns && group === undefined) return yield* this.inTurn.find(columns, service, limit, turns);
    if (turns?.isCapped) return yield* this.inTurn.ofGroup(columns, service, group!, limit, turns);
    return yield* this.scan.oldest(columns, service, group, limit);
  }

  /** Whether some owner with ready tasks of the service may start one. Takes no locks. */
  *hasRoom(service: string, turns: Turns): Script<boolean> {
    return yield* this.inTurn.hasRoom(service, turns);
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
    this.scan.madeReady(task);
    this.inTurn.madeReady(task);
  }

  /** Called for rows that were found but not taken, after their locks are released. */
  left(rows: Row[]): void {
    this.scan.left(rows);
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
    const [task] = yield* select<{ service: string; user_id: string }>(
      sql`SELECT service, user_id FROM ${this.dialect.table} WHERE ${this.isNamed(taskId, filter, NONE)}`,
    );
    if (!task) return this.nothing();
    if (closed.has(task.service)) return this.nothing('paused');
    if (!allowance) return this.nothing();
    yield* allowance.enter([task.service], allowance.mayWait);
    if (allowance.isHeld(task.service)) return { ...this.nothing(), isHeld: true };
    if (allowance.left(task.service) < 1) return this.nothing(allowance.reason(task.service));
    if ((allowance.turns(task.service)?.roomOf(task.user_id) ?? 1) < 1) return this.nothing('limit');
    return this.columns.toReading(yield* this.one(columns, taskId, filter, closed));
  }

  private *ofAny(columns: Sql, group: string | undefined, limit: number, allowance?: Allowance): Script<Found> {
    const { shares, wait } = yield* this.services.shares(group, limit, allowance);
    const most = (name: string): number => allowance?.left(name) ?? Infinity;
    const chosen = [...shares].filter(([, share]) => share > 0);
    const found = (yield* together(
      chosen.map(([name, share]) => this.of(columns, name, group, Math.min(share, most(name)), allowance)),
    )).flat();
    const wanted = chosen.reduce((sum, [, share]) => sum + share, 0);
    // Others hold some of these tasks: continue with the next ones, of any service.
    for (const [name, share] of shares) {
      const missing = wanted - found.length;
      if (missing <= 0) break;
      if (allowance) yield* allowance.enter([name]);
      if (most(name) < 1) continue;
      const ids = new Set(found.map((row) => row.id));
      const more = yield* this.of(columns, name, group, Math.min(share + missing, most(name)), allowance);
      found.push(...more.filter(({ id }) => !ids.has(id)));
    }
    if (found.length === 0) return { ...this.nothing(wait), isHeld: allowance?.meetsOthers };
    return this.columns.toReading(this.inOrder(eachOnce(found)));
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

/**
 * On MySQL a task has two ready rows if an ALTER TABLE changes its time of creation, which fires no trigger, and it gets
 * another priority. Only the one that has its key goes when it starts; the other is then an orphan.
 */
function eachOnce(rows: Row[]): Row[] {
  const ids = new Set<unknown>();
  return rows.filter(({ id }) => ids.size < ids.add(id).size);
}
