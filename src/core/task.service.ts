import type { DataSource } from 'typeorm';
import type { Callbacks } from '../callback/callbacks.js';
import { TaskError } from '../contract/errors.js';
import type { TaskStatusCatalogue } from '../contract/status.js';
import type { Task } from '../contract/task.entity.js';
import { reading } from '../store/database.js';
import { NOW } from '../store/clock.js';
import type { TaskCount } from '../store/task.store.js';
import type { Script } from '../store/transaction.js';
import { type ClaimOptions, Claims } from './claims.js';
import { checkStatus, Creation, type Idempotent, type NewTask, type OwnColumns, ownColumns } from './creation.js';
import { cursorOf, positionOf } from './cursor.js';
import type { TaskEventType, TaskListener } from './events.js';
import { check, invalid } from './invalid.js';
import type { LifeCycle } from './life-cycle.js';
import { type InTransaction, type Queue, run } from './queue.js';
import { type Limits, limitsOf, Quotas } from './quota.js';
import { refusal } from './refusal.js';
import { Reports, type TaskReport } from './reports.js';
import { idsRule, isIdLike, nameRule, pageRule, pageSizeRule, statusRule, textRule, userIdRule } from './rules.js';
import type { WaitingRoom } from './waiting.js';

export type TaskChanges<T extends Task = Task> = OwnColumns<T> & {
  input?: string | undefined;
  args?: string | undefined;
  /** BEGIN makes a draft ready, or runs an ended task again; CANCELLED calls it off. */
  status?: number | undefined;
};

export interface ListOptions {
  userId: string;
  /** From 1, the default. */
  page?: number | undefined;
  /** Tasks on a page; 10 by default. */
  pageNum?: number | undefined;
  /** What the page before answered as `nextCursor`, instead of `page`: costs the same at any depth. */
  cursor?: string | undefined;
  service?: string | undefined;
  group?: string | undefined;
  status?: number | undefined;
  /** These tasks only, without paging. */
  ids?: string[] | undefined;
}

export interface TaskList<T extends Task = Task> {
  list: T[];
  /** For the next page; null where there is none. */
  nextCursor: string | null;
}

/** Which tasks were deleted, and which were not and why. */
export interface Removal {
  deleted: string[];
  notDeleted: { taskId: string; reason: TaskError }[];
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
  /** The registration's catalogue: role -> stored integer. */
  readonly status: TaskStatusCatalogue;
  readonly lifeCycle: LifeCycle;
  private readonly creation: Creation<T>;
  private readonly claims: Claims<T>;
  private readonly reports: Reports<T>;

  constructor(
    private readonly queue: Queue<T>,
    waiting: WaitingRoom,
    /** The data source that holds the table. */
    readonly dataSource: DataSource,
    /** Callbacks of tasks that have ended: to look at, and to replay. */
    readonly callbacks: Callbacks,
  ) {
    this.lifeCycle = queue.lifeCycle;
    this.status = queue.lifeCycle.status;
    this.creation = new Creation(queue);
    this.claims = new Claims(queue, waiting);
    this.reports = new Reports(queue);
  }

  /** Creates a task. INVALID_PARAM, TOO_LARGE, TOO_MANY_TASK, IDEMPOTENCY_CONFLICT. */
  async create(task: NewTask<T>, options: InTransaction & Idempotent = {}): Promise<T> {
    const [created] = await this.creation.create([task], options);
    return created!;
  }

  /** Creates up to 1,000 tasks: all or none. INVALID_PARAM, TOO_LARGE, TOO_MANY_TASK, IDEMPOTENCY_CONFLICT. */
  async createMany(tasks: NewTask<T>[], options: InTransaction & Idempotent = {}): Promise<T[]> {
    return this.creation.create(tasks, options);
  }

  /** A task, whoever owns it. NOT_FOUND. */
  async get(taskId: string): Promise<T> {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    const task = await reading(this.queue.database, () => this.queue.tasks.find(taskId));
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
  async list({ userId, page, pageNum = 10, cursor, service, group, status, ids }: ListOptions): Promise<TaskList<T>> {
    check('userId', userId, userIdRule);
    if (page !== undefined) check('page', page, pageRule);
    check('pageNum', pageNum, pageSizeRule);
    if (service !== undefined) check('service', service, nameRule);
    if (group !== undefined) check('group', group, nameRule);
    if (status !== undefined) check('status', status, statusRule);
    if (ids !== undefined) check('ids', ids, idsRule);
    if (cursor !== undefined && page !== undefined)
      throw invalid([{ field: 'page', rule: 'either', msg: 'page and cursor are two ways to page: give one of them' }]);
    const { tasks, next } = await reading(this.queue.database, () =>
      this.queue.lists.list({
        userId,
        service,
        group,
        status,
        ids: ids?.filter(isIdLike),
        after: cursor === undefined ? undefined : positionOf(cursor),
        offset: ((page ?? 1) - 1) * pageNum,
        limit: pageNum,
      }),
    );
    return { list: tasks, nextCursor: next ? cursorOf(next) : null };
  }

  /** How many tasks each service has in each status, of all owners. Reads the whole table. */
  async counts(): Promise<TaskCount[]> {
    return reading(this.queue.database, () => this.queue.tasks.counts());
  }

  /**
   * Replaces `input`, `args` and a host's own columns where given, and moves the task by `status`.
   * NOT_FOUND; INVALID_STATE for a move that its status doesn't allow, or once a worker has had the task;
   * TOO_MANY_TASK where it would run again beyond the quota.
   */
  async update(taskId: string, changes: TaskChanges<T>, options: AsOwner & InTransaction = {}): Promise<T> {
    if (!isIdLike(taskId)) throw new TaskError('NOT_FOUND');
    const { input, args, status, ...rest } = changes;
    const own = ownColumns(rest);
    if (input !== undefined) check('input', input, textRule);
    if (args !== undefined) check('args', args, textRule);
    const { queue } = this;
    const { tasks, lifeCycle } = queue;
    if (status !== undefined) checkStatus(status, lifeCycle.userStatuses);
    const script = function* (limits: Limits): Script<{ task: T; event?: TaskEventType | undefined }> {
      const task = yield* tasks.lock(taskId, options.userId);
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
      const move = verdict === 'move' ? movedTo(lifeCycle, task, status!) : {};
      const values = { ...own, input, args, ...move };
      // Nothing to write: not even the time of the change.
      if (Object.values(values).every((value) => value === undefined)) return { task };
      if (verdict === 'move' && lifeCycle.isEnded(task.status)) {
        const refused = (yield* Quotas.lock(queue, limits)).take(new Map([[task.userId, 1]]));
        if (refused) throw refused;
      }
      const [changed] = yield* tasks.update([taskId], values);
      const event = verdict === 'stay' ? undefined : lifeCycle.isEnded(status!) ? 'cancelled' : 'ready';
      if (event === 'cancelled') yield* queue.outbox.add([changed!]);
      return { task: changed!, event };
    };
    const limits = status === this.status.BEGIN ? await this.limitOf(taskId, options) : new Map<string, number>();
    const { task } = await run(
      queue,
      options,
      () => script(limits),
      ({ task, event }) => event && queue.events.tell(event, [task]),
    );
    return task;
  }

  /** Makes a draft or a waiting task ready now; a ready one stays so. NOT_FOUND, INVALID_STATE. */
  async markReady(taskId: string, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.update(taskId, { status: this.status.BEGIN } as TaskChanges<T>, options);
  }

  /** Runs a failed or cancelled task again, its attempts counted anew. NOT_FOUND, INVALID_STATE, TOO_MANY_TASK. */
  async retry(taskId: string, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.update(taskId, { status: this.status.BEGIN } as TaskChanges<T>, options);
  }

  /** Calls a task off; its worker learns it with its next report. NOT_FOUND, INVALID_STATE once it has ended. */
  async cancel(taskId: string, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.update(taskId, { status: this.status.CANCELLED } as TaskChanges<T>, options);
  }

  /** Deletes an owner's tasks, but for those that a worker holds. INVALID_PARAM. */
  async remove(ids: string[], options: { userId: string } & InTransaction): Promise<Removal> {
    check('userId', options.userId, userIdRule);
    check('ids', ids, idsRule);
    const { tasks, lifeCycle } = this.queue;
    const asked = [...new Set(ids)];
    const script = function* (): Script<Removal> {
      const found = yield* tasks.lockOwn(asked.filter(isIdLike), options.userId);
      const statusOf = new Map(found.map((row) => [row.id, Number(row.status)]));
      const reason = (id: string): TaskError | undefined => {
        const status = statusOf.get(id);
        if (status === undefined) return new TaskError('NOT_FOUND');
        return lifeCycle.isHeld(status) ? new TaskError('INVALID_STATE') : undefined;
      };
      const deleted = asked.filter((id) => reason(id) === undefined);
      yield* tasks.delete(deleted);
      const kept = asked.filter((id) => reason(id) !== undefined);
      return { deleted, notDeleted: kept.map((taskId) => ({ taskId, reason: reason(taskId)! })) };
    };
    return run(this.queue, options, script, () => undefined);
  }

  /**
   * Takes ready tasks that fit, by priority, then oldest first: BEGIN to START, each for exactly one caller. Answers
   * none where there are none, after `wait`. INVALID_PARAM; TOO_MANY_REQUESTS where too many claims wait.
   */
  async claim(options: ClaimOptions = {}): Promise<T[]> {
    return this.claims.claim(options);
  }

  /**
   * A worker's word on its task: replaces what is given, and renews the lease. NOT_FOUND; INVALID_PARAM for a status
   * that no worker may report; LEASE_LOST where the task is no longer its own; INVALID_STATE where nobody holds it.
   */
  async report(taskId: string, report: TaskReport): Promise<T> {
    return this.reports.report(taskId, report);
  }

  /** Renews a lease, and nothing else. NOT_FOUND, LEASE_LOST. */
  async heartbeat(taskId: string, { leaseToken, lease }: Pick<TaskReport, 'leaseToken' | 'lease'>): Promise<T> {
    return this.reports.report(taskId, { leaseToken, lease });
  }

  /** Gives a task back, as no attempt; ready again after `delay` seconds. NOT_FOUND, LEASE_LOST. */
  async release(taskId: string, { leaseToken, delay }: Pick<TaskReport, 'leaseToken' | 'delay'>): Promise<T> {
    return this.reports.report(taskId, { leaseToken, delay, status: this.status.BEGIN });
  }

  /** Where this task's callback goes: what its worker is handed. Undefined for nowhere. */
  callbackUrlOf(task: T): string | undefined {
    return this.queue.targets.handedTo(task);
  }

  /**
   * Tells what this process does to tasks, after each commit; answers how to stop listening. Other processes tell their
   * own listeners, and calls in a caller's own transaction tell nobody.
   */
  onTask(listener: TaskListener<T>): () => void {
    return this.queue.events.on(listener);
  }

  /** The quota of the task's owner. */
  private async limitOf(taskId: string, { userId }: AsOwner): Promise<Limits> {
    const { settings } = this.queue;
    if (settings.maxActiveTasks === undefined) return new Map();
    return limitsOf(settings, [userId ?? (await this.get(taskId)).userId]);
  }
}

/** What a user's move changes besides. */
function movedTo(lifeCycle: LifeCycle, task: Task, status: number): Record<string, unknown> {
  if (lifeCycle.isEnded(status)) return { status, finishedAt: NOW, leaseExpiresAt: null };
  if (!lifeCycle.isEnded(task.status)) return { status };
  // It runs again as if it were new; `temp` stays, the checkpoint.
  return { status, attempts: 0, releases: 0, progress: 0, error: null, runAt: null, finishedAt: null };
}
