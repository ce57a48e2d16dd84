import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { TaskError } from '../contract/errors.js';
import type { TaskStatusCatalogue } from '../contract/status.js';
import { type Task, TASK_COLUMNS } from '../contract/task.entity.js';
import { type Database, reading, transaction } from '../store/database.js';
import type { TaskStore } from '../store/task.store.js';
import type { Script } from '../store/transaction.js';
import { check, invalid } from './invalid.js';
import { LifeCycle } from './life-cycle.js';
import { idsRule, isIdLike, nameRule, pageRule, pageSizeRule, progressRule, textRule, userIdRule } from './rules.js';

/** Values for the columns that a host's entity adds. */
export type OwnColumns<T extends Task> = Partial<Omit<T, keyof Task>>;

export type NewTask<T extends Task = Task> = OwnColumns<T> & {
  /** Owner, at most 255 characters. */
  userId: string;
  /** What to work on; at most 65,535 bytes of UTF-8. */
  input: string;
  args?: string | undefined;
  /** Kind of work, at most 64 characters; absent: option `defaultService`. */
  service?: string | undefined;
  /** Narrows claims within a service, at most 64 characters. */
  group?: string | undefined;
  /** INIT (the default) or BEGIN. */
  status?: number | undefined;
};

export type TaskChanges<T extends Task = Task> = OwnColumns<T> & {
  input?: string | undefined;
  args?: string | undefined;
  /** BEGIN makes a draft ready. */
  status?: number | undefined;
};

export interface ListOptions {
  userId: string;
  /** From 1, the default. */
  page?: number | undefined;
  /** Tasks on a page; 10 by default. */
  pageNum?: number | undefined;
  service?: string | undefined;
  /** These tasks only, without paging. */
  ids?: string[] | undefined;
}

export interface ClaimOptions {
  /** Tasks of this service only; at most 64 characters. Without it: of every service. */
  service?: string | undefined;
  group?: string | undefined;
  taskId?: string | undefined;
}

export interface TaskReport {
  /** Percent done, 0 or more; above 100 counts as 100. */
  progress?: number | undefined;
  status?: number | undefined;
  temp?: string | undefined;
  output?: string | undefined;
}

/** Which tasks were deleted, and which were not and why. */
export interface Removal {
  deleted: string[];
  notDeleted: { taskId: string; reason: TaskError }[];
}

/**
 * Runs inside the caller's own transaction: commits and rolls back with it. Failures of the database, deadlocks too,
 * reach the caller as the driver's: only who owns the transaction can run it again.
 */
export interface InTransaction {
  manager?: EntityManager | undefined;
}
/** Touches only this owner's tasks; another's are NOT_FOUND. */
export interface AsOwner {
  userId?: string | undefined;
}

/**
 * What the queue does, for the routes and for a host's own code. Failures are TaskErrors. Every call commits before
 * it answers, unless it runs in a transaction of the caller's.
 */
export class TaskService<T extends Task = Task> {
  readonly lifeCycle: LifeCycle;

  constructor(
    private readonly database: Database,
    private readonly store: TaskStore<T>,
    /** The data source that holds the table. */
    readonly dataSource: DataSource,
    /** The registration's catalogue: role -> stored integer. */
    readonly status: TaskStatusCatalogue,
    private readonly defaultService: string,
  ) {
    this.lifeCycle = new LifeCycle(status);
  }

  /** Creates a task. INVALID_PARAM or TOO_LARGE for values that break a rule. */
  async create(task: NewTask<T>, options: InTransaction = {}): Promise<T> {
    const { userId, input, args, service = this.defaultService, group, status = this.status.INIT, ...rest } = task;
    const own = ownColumns(rest);
    check('userId', userId, userIdRule);
    check('input', input, textRule);
    check('service', service, nameRule);
    if (args !== undefined) check('args', args, textRule);
    if (group !== undefined) check('group', group, nameRule);
    this.checkStatus(status, this.lifeCycle.userStatuses);
    const values = { ...own, taskId: uuidv7(), userId, input, args, service, group, status };
    return this.write(() => this.store.insert(values), options);
  }

  /** A task, whoever owns it. NOT_FOUND. */
  async get(taskId: string): Promise<T> {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    const task = await reading(this.database, () => this.store.find(taskId));
    if (!task) throw new TaskError('NOT_FOUND');
    return task;
  }

  /** A task of this owner's. NOT_FOUND where there is none, INVALID_ACCESS where it is another's. */
  async getOwn(taskId: string, userId: string): Promise<T> {
    const task = await this.get(taskId);
    if (task.userId !== userId) throw new TaskError('INVALID_ACCESS');
    return task;
  }

  /** An owner's tasks, newest first. INVALID_PARAM. */
  async list({ userId, page = 1, pageNum = 10, service, ids }: ListOptions): Promise<T[]> {
    check('userId', userId, userIdRule);
    check('page', page, pageRule);
    check('pageNum', pageNum, pageSizeRule);
    if (service !== undefined) check('service', service, nameRule);
    if (ids !== undefined) check('ids', ids, idsRule);
    return reading(this.database, () =>
      this.store.list({ userId, service, ids: ids?.filter(isIdLike), offset: (page - 1) * pageNum, limit: pageNum }),
    );
  }

  /**
   * Replaces `input`, `args` and a host's own columns where given, and moves a draft on by `status`.
   * NOT_FOUND; INVALID_STATE once a worker has had the task.
   */
  async update(taskId: string, changes: TaskChanges<T>, options: AsOwner & InTransaction = {}): Promise<T> {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    const { input, args, status, ...rest } = changes;
    const own = ownColumns(rest);
    if (input !== undefined) check('input', input, textRule);
    if (args !== undefined) check('args', args, textRule);
    if (status !== undefined) this.checkStatus(status, this.lifeCycle.userStatuses);
    const { store, lifeCycle } = this;
    return this.write(function* () {
      const task = yield* store.lock(taskId, options.userId);
      if (!task) throw new TaskError('NOT_FOUND');
      if ((input !== undefined || args !== undefined) && !lifeCycle.isUntouched(task))
        throw refusal(
          lifeCycle,
          task,
          'user',
          'input and args cannot change once a worker has had the task; create another',
        );
      if (Object.keys(own).length > 0 && lifeCycle.isFinal(task.status))
        throw refusal(lifeCycle, task, 'user', 'a finished task never changes');
      const verdict = status === undefined ? 'stay' : lifeCycle.userMove(task.status, status);
      if (verdict === 'refuse') throw refusal(lifeCycle, task, 'user');
      const values = { ...own, input, args, status: verdict === 'move' ? status : undefined };
      // Nothing to write: not even the time of the change.
      if (Object.values(values).every((value) => value === undefined)) return task;
      return yield* store.update(taskId, values);
    }, options);
  }

  /** Makes a draft ready to be claimed; a ready one stays so. NOT_FOUND, INVALID_STATE. */
  async markReady(taskId: string, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.update(taskId, { status: this.status.BEGIN } as TaskChanges<T>, options);
  }

  /** Deletes an owner's tasks, but for those that a worker holds. INVALID_PARAM. */
  async remove(ids: string[], options: { userId: string } & InTransaction): Promise<Removal> {
    check('userId', options.userId, userIdRule);
    check('ids', ids, idsRule);
    const { store, lifeCycle } = this;
    const asked = [...new Set(ids)];
    return this.write(function* (): Script<Removal> {
      const found = yield* store.lockOwn(asked.filter(isIdLike), options.userId);
      const statusOf = new Map(found.map((row) => [row.id, Number(row.status)]));
      const reason = (id: string): TaskError | undefined => {
        const status = statusOf.get(id);
        if (status === undefined) return new TaskError('NOT_FOUND');
        return lifeCycle.isHeld(status) ? new TaskError('INVALID_STATE') : undefined;
      };
      const deleted = asked.filter((id) => reason(id) === undefined);
      yield* store.delete(deleted);
      const kept = asked.filter((id) => reason(id) !== undefined);
      return { deleted, notDeleted: kept.map((taskId) => ({ taskId, reason: reason(taskId)! })) };
    }, options);
  }

  /** Takes the oldest ready task that fits, or none: BEGIN to START, for exactly one caller. */
  async claim(options: ClaimOptions = {}): Promise<T | undefined> {
    if (options.service !== undefined) check('service', options.service, nameRule);
    if (options.group !== undefined) check('group', options.group, nameRule);
    if (options.taskId !== undefined && !isIdLike(options.taskId)) return undefined;
    const [task] = await transaction(this.database, () => this.store.claim({ ...options, limit: 1 }));
    return task;
  }

  /**
   * A worker's word on its task: replaces what is given. A finished task never changes again, and says nothing of it.
   * NOT_FOUND; INVALID_PARAM for a status that no worker may report; INVALID_STATE where no worker holds the task.
   */
  async report(taskId: string, { status, progress, temp, output }: TaskReport): Promise<T> {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    if (status !== undefined) this.checkStatus(status, this.lifeCycle.workerStatuses);
    if (progress !== undefined) check('progress', progress, progressRule);
    if (temp !== undefined) check('temp', temp, textRule);
    if (output !== undefined) check('output', output, textRule);
    const { store, lifeCycle } = this;
    return transaction(this.database, function* () {
      const task = yield* store.lock(taskId);
      if (!task) throw new TaskError('NOT_FOUND');
      const verdict = lifeCycle.workerMove(task.status, status);
      if (verdict === 'stay') return task;
      if (verdict === 'refuse') throw refusal(lifeCycle, task, 'worker');
      const phase = status === undefined ? undefined : lifeCycle.phase(status);
      const percent = phase === 'FINISHED' ? 100 : progress === undefined ? undefined : Math.min(progress, 100);
      const finished = phase === 'FINISHED' || phase === 'ERROR';
      // Given back, it was no attempt.
      const released = phase === 'BEGIN' && { attempts: Math.max(task.attempts - 1, 0), releases: task.releases + 1 };
      return yield* store.update(taskId, { status, progress: percent, temp, output, ...released }, { finished });
    });
  }

  private write<R>(script: () => Script<R>, { manager }: InTransaction): Promise<R> {
    return manager ? this.database.within(manager, script) : transaction(this.database, script);
  }

  private checkStatus(status: number, allowed: number[]): void {
    if (!allowed.includes(status))
      throw invalid([{ field: 'status', rule: 'isIn', msg: `status must be one of ${allowed.join(', ')}` }]);
  }
}

/** A host's own columns among what a caller gives: the queue's are the queue's to write. */
const ownColumns = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !TASK_COLUMNS.includes(name)));

function refusal(lifeCycle: LifeCycle, task: Task, by: 'user' | 'worker', why?: string): TaskError {
  const allowed = lifeCycle.allowed(task.status, by);
  return new TaskError('INVALID_STATE', {
    status: task.status,
    allowed,
    msg: why ?? `a ${by} may move a task with status ${task.status} to ${allowed.join(', ') || 'no other status'}`,
  });
}
