import sql, { empty, join, type Sql } from 'sql-template-tag';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { LIMITS } from '../core/rules.js';
import type { TaskColumns } from './columns.js';
import { type Dialect, list, literal, type ReadyRow, type TaskTable } from './dialect.js';
import { change, type Script, select } from './transaction.js';

export interface ListFilter {
  userId: string;
  service?: string | undefined;
  /** These tasks only, and all of them: no paging. */
  ids?: string[] | undefined;
  /** Tasks to pass over, and the most to answer. */
  offset: number;
  limit: number;
}

export interface ClaimFilter {
  service?: string | undefined;
  group?: string | undefined;
  taskId?: string | undefined;
  limit: number;
}

const TEXTS = ['input', 'args', 'temp', 'output'];

/** Ready rows that a claim asks for beyond its limit, when it met some that it can't have. */
const CLAIM_SLACK = 32;
/** The most that it asks for, however many of them are orphans. */
const CLAIM_WINDOW = 1024;

/** The SQL of the queue, each piece a script to run inside a transaction. Written once, over the dialect. */
export class TaskStore<T extends Task> {
  constructor(
    private readonly dialect: Dialect,
    private readonly columns: TaskColumns<T>,
    private readonly options: TaskTable,
  ) {}

  *insert(values: Record<string, unknown> & { taskId: string }): Script<T> {
    const { dialect } = this;
    const row = this.columns.toRow(values);
    const names = [...row.map(([column]) => column), dialect.id('created_at'), dialect.id('updated_at')];
    const given = [...row.map(([, value]) => sql`${value}`), dialect.localNow, dialect.localNow];
    yield* change(sql`INSERT INTO ${dialect.table} (${join(names)}) VALUES (${join(given)})`);
    return (yield* this.find(values.taskId))!;
  }

  *find(taskId: string): Script<T | undefined> {
    const [task] = yield* this.tasks(sql`WHERE id = ${taskId}`);
    return task;
  }

  /** The task, locked until the transaction ends; with an owner, only that owner's. */
  *lock(taskId: string, userId?: string): Script<T | undefined> {
    const owned = userId === undefined ? empty : sql`AND user_id = ${userId}`;
    const [task] = yield* this.tasks(sql`WHERE id = ${taskId} ${owned} ${this.dialect.forUpdate}`);
    return task;
  }

  /** Replaces what is given; the caller holds the lock. */
  *update(taskId: string, values: Record<string, unknown>, times: { finished?: boolean } = {}): Script<T> {
    const { dialect } = this;
    const assignments = [
      ...this.columns.toAssignments(values),
      ...(times.finished ? [sql`finished_at = ${dialect.now}`] : []),
      sql`updated_at = ${dialect.localNow}`,
    ];
    yield* change(sql`UPDATE ${dialect.table} SET ${join(assignments)} WHERE id = ${taskId}`);
    return (yield* this.find(taskId))!;
  }

  /** Newest first. */
  *list(filter: ListFilter): Script<T[]> {
    const conditions = [sql`user_id = ${filter.userId}`];
    if (filter.service !== undefined) conditions.push(sql`service = ${filter.service}`);
    if (filter.ids?.length === 0) return [];
    if (filter.ids) conditions.push(sql`id IN (${list(filter.ids)})`);
    const page = filter.ids ? empty : sql`LIMIT ${filter.limit} OFFSET ${filter.offset}`;
    const clause = sql`WHERE ${join(conditions, ' AND ')} ORDER BY ${this.dialect.listOrder} ${page}`;
    const most = filter.ids?.length ?? filter.limit;
    if (most * TEXTS.length * LIMITS.textBytes > LIMITS.listBytes) yield* this.checkSize(clause, filter);
    return yield* this.tasks(clause);
  }

  /** A thousand tasks are small as a rule, but may have gigabytes: refused before they are read into memory. */
  private *checkSize(clause: Sql, { ids }: ListFilter): Script<void> {
    const bytes = TEXTS.map((column) => sql`COALESCE(${this.dialect.bytes(column)}, 0)`);
    const [row] = yield* select<{ bytes: unknown }>(
      sql`SELECT SUM(size) AS bytes FROM (SELECT ${join(bytes, ' + ')} AS size FROM ${this.dialect.table} ${clause}) page`,
    );
    if (Number(row!.bytes) <= LIMITS.listBytes) return;
    const [field, rule] = [ids ? 'ids' : 'pageNum', 'listBytes'];
    const msg = `${field} asks for more than ${LIMITS.listBytes} bytes of texts; ask for fewer tasks at once`;
    throw new TaskError('TOO_LARGE', [{ field, rule, msg }]);
  }

  /** An owner's tasks among these ids, locked in the order of their ids, so that two such calls can't deadlock. */
  *lockOwn(ids: string[], userId: string): Script<{ id: string; status: number }[]> {
    if (ids.length === 0) return [];
    return yield* select<{ id: string; status: number }>(
      sql`SELECT id, status FROM ${this.dialect.table} WHERE user_id = ${userId} AND id IN (${list(ids)})
        ORDER BY id ${this.dialect.forUpdate}`,
    );
  }

  *delete(ids: string[]): Script<number> {
    if (ids.length === 0) return 0;
    return yield* change(sql`DELETE FROM ${this.dialect.table} WHERE id IN (${list(ids)})`);
  }

  /** Takes ready tasks, oldest first within a priority: BEGIN to START. */
  *claim(filter: ClaimFilter): Script<T[]> {
    const { dialect, options } = this;
    const ids = filter.taskId === undefined ? yield* this.oldest(filter) : yield* this.one(filter.taskId, filter);
    if (ids.length === 0) return [];
    yield* change(
      sql`UPDATE ${dialect.table} SET status = ${literal(options.status.START)}, attempts = attempts + 1,
        started_at = ${dialect.now}, updated_at = ${dialect.localNow} WHERE id IN (${list(ids)})`,
    );
    const tasks = yield* this.tasks(sql`WHERE id IN (${list(ids)})`);
    const place = new Map(ids.map((id, index) => [id, index]));
    return tasks.sort((a, b) => place.get(a.taskId)! - place.get(b.taskId)!);
  }

  /** One named task, if it is ready, nobody holds it, and it fits the filter. */
  private *one(taskId: string, filter: ClaimFilter): Script<string[]> {
    const { dialect, options } = this;
    const fits = [sql`id = ${taskId}`, sql`status = ${literal(options.status.BEGIN)}`, ...this.fits(filter)];
    const rows = yield* select<{ id: string }>(
      sql`SELECT id FROM ${dialect.table} WHERE ${join(fits, ' AND ')} ${dialect.skipLocked}`,
    );
    return rows.map((row) => row.id);
  }

  private *oldest(filter: ClaimFilter): Script<string[]> {
    const taken: string[] = [];
    const services = filter.service === undefined ? yield* this.readyServices(filter) : [filter.service];
    for (const service of services) {
      if (taken.length < filter.limit)
        taken.push(...(yield* this.oldestOf(service, filter.group, filter.limit - taken.length)));
    }
    return taken;
  }

  /** Ready tasks of one service, in the order of its index, locked. */
  private *oldestOf(service: string, group: string | undefined, limit: number): Script<string[]> {
    const { dialect } = this;
    let window = limit;
    for (;;) {
      const rows = yield* select<ReadyRow>(
        sql`SELECT ${dialect.ready.row} FROM ${dialect.ready.from}
          WHERE ${join([dialect.ready.where, ...this.fits({ service, group })], ' AND ')}
          ORDER BY ${dialect.claimOrder} LIMIT ${window} ${dialect.skipLocked}`,
      );
      if (rows.length === 0) return [];
      const { free, held } = yield* dialect.confirm(rows);
      // Enough, or all that there is, or as far as a claim should wade through what others hold. Orphans are gone now.
      const tired = held > CLAIM_SLACK || window > limit + CLAIM_WINDOW;
      if (free.length >= limit || rows.length < window || tired) return free.slice(0, limit);
      window += CLAIM_SLACK;
    }
  }

  /**
   * The services that have ready tasks, the one whose head comes first in the order of claims first. Reads two index
   * entries a service, however long their queues are: a skip scan, then the heads.
   */
  private *readyServices(filter: ClaimFilter): Script<string[]> {
    const { from, where } = this.dialect.ready;
    const services: { service: string }[] = [];
    // One by one: MariaDB reads the whole index for a recursive query over a correlated one, and for DISTINCT.
    for (let after: Sql = empty; ; after = sql`AND service > ${services.at(-1)!.service}`) {
      const next = yield* select<{ service: string }>(
        sql`SELECT service FROM ${from} WHERE ${where} ${after} ORDER BY service LIMIT 1`,
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
    return sql`SELECT * FROM (SELECT service, priority, created_at, ${ready.taskId} FROM ${ready.from}
      WHERE ${join([ready.where, ...this.fits({ service, group })], ' AND ')} ORDER BY ${claimOrder} LIMIT 1) head`;
  }

  private fits(filter: { service?: string | undefined; group?: string | undefined }): Sql[] {
    const conditions: Sql[] = [];
    if (filter.service !== undefined) conditions.push(sql`service = ${filter.service}`);
    if (filter.group !== undefined) conditions.push(sql`${this.dialect.id('group')} = ${filter.group}`);
    return conditions;
  }

  private *tasks(clause: Sql): Script<T[]> {
    const rows = yield* select(sql`SELECT ${this.columns.list} FROM ${this.dialect.table} ${clause}`);
    return rows.map((row) => this.columns.toTask(row));
  }
}
