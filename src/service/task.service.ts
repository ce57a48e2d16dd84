import type { DataSource } from 'typeorm';
import type { Batches } from '../batches/batches.js';
import type { Bulks } from '../bulk/bulks.js';
import type { Callbacks } from '../callbacks/callbacks.service.js';
import type { CallbackTargets } from '../callbacks/targets/callback-targets.js';
import type { TaskStatusCatalogue } from '../contract/status.js';
import type { Task } from '../contract/task.entity.js';
import { reading } from '../database/database.js';
import type { Metrics } from '../metrics/metrics.service.js';
import type { Operator } from '../operator/operator.js';
import type { TaskListener } from '../queue/events.js';
import type { LifeCycle } from '../queue/life-cycle.js';
import type { InTransaction, Queue } from '../queue/queue.js';
import type { Readiness, TaskReadiness } from '../queue/readiness.js';
import type { TaskCount } from '../queue/stores/task.store.js';
import { type AsOwner, Changes, type TaskChanges } from '../queue/use-cases/change.js';
import { Claims } from '../queue/use-cases/claim.js';
import type { ClaimOptions } from '../queue/use-cases/claim-options.js';
import { Creation, type Idempotent, type NewTask, type Traced } from '../queue/creation/create.js';
import { list, type ListOptions, type TaskList } from '../queue/use-cases/list.js';
import { read, readOwn } from '../queue/use-cases/read.js';
import { type Removal, remove } from '../queue/use-cases/remove.js';
import { type OneReport, Reports, type TaskReport } from '../queue/use-cases/report.js';
import type { LiveRoom } from '../live/live-room.js';
import type { Schedules } from '../schedules/schedules.js';
import type { WaitingRoom } from '../queue/waiting/waiting-room.js';

/** What other rooms made for it. */
interface ServiceParts<T extends Task> {
  waiting: WaitingRoom;
  live: LiveRoom<T>;
  metrics: Metrics;
  readiness: Readiness;
}

/**
 * The operations of the queue, for the routes and for the host's own code. Failures are TaskErrors. Every call has
 * committed when it returns, unless it runs in the caller's transaction.
 */
export class TaskService<T extends Task = Task> {
  /** The registration's catalogue: role -> stored integer. */
  readonly status: TaskStatusCatalogue;
  readonly lifeCycle: LifeCycle;
  /** Event streams for users: what `TaskController.watch()` answers. */
  readonly live: LiveRoom<T>;
  /** What is in the queue, and what happened in it. */
  readonly metrics: Metrics;
  private readonly creation: Creation<T>;
  private readonly claims: Claims<T>;
  private readonly reports: Reports<T>;
  private readonly changes: Changes<T>;
  private readonly health: Readiness;

  constructor(
    private readonly queue: Queue<T>,
    { waiting, live, metrics, readiness }: ServiceParts<T>,
    /** The data source that holds the table. */
    readonly dataSource: DataSource,
    /** Callbacks of ended tasks: to list, and to replay. */
    readonly callbacks: Callbacks,
    private readonly targets: CallbackTargets<T>,
    /** Changes of many of an owner's tasks at once. */
    readonly bulks: Bulks<T>,
    /** Tasks that are created again and again. Option `schedules` switches them on. */
    readonly schedules: Schedules<T>,
    /** Tasks that belong together: something happens when all have ended. */
    readonly batches: Batches<T>,
    /** What operators see and do. */
    readonly operator: Operator<T>,
  ) {
    this.live = live;
    this.metrics = metrics;
    this.lifeCycle = queue.lifeCycle;
    this.status = queue.lifeCycle.status;
    this.creation = new Creation(queue);
    this.claims = new Claims(queue, waiting);
    this.reports = new Reports(queue);
    this.changes = new Changes(queue);
    this.health = readiness;
  }

  /** Creates a task. INVALID_PARAM, TOO_LARGE, TOO_MANY_TASK, IDEMPOTENCY_CONFLICT. */
  async create(task: NewTask<T>, options: InTransaction & Idempotent & Traced = {}): Promise<T> {
    const [created] = await this.creation.create([task], options);
    return created!;
  }

  /** Creates up to 1,000 tasks, all or none. INVALID_PARAM, TOO_LARGE, TOO_MANY_TASK, IDEMPOTENCY_CONFLICT. */
  async createMany(tasks: NewTask<T>[], options: InTransaction & Idempotent & Traced = {}): Promise<T[]> {
    return this.creation.create(tasks, options);
  }

  /** A task of any owner. NOT_FOUND. */
  async get(taskId: string): Promise<T> {
    return read(this.queue, taskId);
  }

  /** A task of this owner. NOT_FOUND if there is none, INVALID_ACCESS if it belongs to another owner. */
  async getOwn(taskId: string, userId: string): Promise<T> {
    return readOwn(this.queue, taskId, userId);
  }

  /**
   * An owner's tasks, newest first. INVALID_PARAM. If they have more than 8 MiB as JSON: TOO_LARGE, or with a cursor a
   * page with fewer tasks, which `nextCursor` continues.
   */
  async list(options: ListOptions): Promise<TaskList<T>> {
    return list(this.queue, options);
  }

  /** The number of tasks by service and status, of all owners. Reads the whole table. */
  async counts(): Promise<TaskCount[]> {
    return reading(this.queue.database, () => this.queue.tasks.counts());
  }

  /**
   * Replaces `input`, `args` and a host's own columns if given, and moves the task by `status`. NOT_FOUND.
   * INVALID_STATE if its status does not allow the move, or if a worker has already had the task. TOO_MANY_TASK if it
   * would run again beyond the quota. TOO_MANY_REQUESTS if 20 callbacks of its earlier ends are not delivered yet.
   */
  async update(taskId: string, changes: TaskChanges<T>, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.changes.update(taskId, changes, options);
  }

  /**
   * Makes a draft or a waiting task ready now. A ready task stays ready. NOT_FOUND; INVALID_STATE, also for an ended
   * task.
   */
  async markReady(taskId: string, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.changes.markReady(taskId, options);
  }

  /**
   * Runs a failed or cancelled task again with all its attempts. A ready task stays ready. NOT_FOUND, TOO_MANY_TASK,
   * TOO_MANY_REQUESTS. INVALID_STATE, also for a draft or a waiting task: use `markReady()` for those.
   */
  async retry(taskId: string, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.changes.retry(taskId, options);
  }

  /** Cancels a task. Its worker learns it with its next report. NOT_FOUND; INVALID_STATE once it has ended. */
  async cancel(taskId: string, options: AsOwner & InTransaction = {}): Promise<T> {
    return this.changes.cancel(taskId, options);
  }

  /** Deletes an owner's tasks, except those that a worker holds. INVALID_PARAM. */
  async remove(ids: string[], options: { userId: string } & InTransaction): Promise<Removal> {
    return remove(this.queue, ids, options);
  }

  /**
   * Takes ready tasks that fit, by priority, then oldest first: BEGIN to START, each for exactly one caller. Empty if
   * there are none after `wait` seconds. INVALID_PARAM. TOO_MANY_REQUESTS if too many claims wait.
   */
  async claim(options: ClaimOptions = {}): Promise<T[]> {
    return this.claims.claim(options);
  }

  /**
   * A worker's report on its task: replaces the given fields, and renews the lease. NOT_FOUND. INVALID_PARAM for a
   * status that workers may not report. LEASE_LOST if the worker no longer has the task. INVALID_STATE if no worker has
   * it.
   */
  async report(taskId: string, report: TaskReport): Promise<T> {
    return this.reports.report(taskId, report);
  }

  /**
   * Reports on several tasks, in as few transactions as their rows allow. Each is judged on its own, as `report()` does:
   * `fulfilled` with the task, or `rejected` with the error. The results are in the order of the reports.
   */
  async reportMany(reports: readonly OneReport[]): Promise<PromiseSettledResult<T>[]> {
    return this.reports.reportMany(reports);
  }

  /** Only renews a lease. NOT_FOUND, LEASE_LOST. */
  async heartbeat(taskId: string, { leaseToken, lease }: Pick<TaskReport, 'leaseToken' | 'lease'>): Promise<T> {
    return this.reports.report(taskId, { leaseToken, lease });
  }

  /** Gives a task back without using an attempt. It is ready again after `delay` seconds. NOT_FOUND, LEASE_LOST. */
  async release(taskId: string, { leaseToken, delay }: Pick<TaskReport, 'leaseToken' | 'delay'>): Promise<T> {
    return this.reports.report(taskId, { leaseToken, delay, status: this.status.BEGIN });
  }

  /** The callback address that the task's worker gets. undefined if there is none. */
  callbackUrlOf(task: T): string | undefined {
    return this.targets.handedTo(task);
  }

  /**
   * For a host's readiness probe. Resolves if the queue can work now: it writes over its own connections, and leaves
   * nothing behind. Otherwise UNAVAILABLE within 2 s, with the reason as `cause`.
   */
  async ping(): Promise<void> {
    return this.health.check();
  }

  /**
   * The same for a page or a log: `ok` or why not for the database, the schema, and this process, which is stopping
   * once the app closes. Never rejects, and takes at most 2 s. `TaskHealthIndicator` gives it to `@nestjs/terminus`.
   */
  async readiness(): Promise<TaskReadiness> {
    return this.health.report();
  }

  /**
   * Calls the listener after each commit of this process. Returns a function that stops listening. Other processes call
   * their own listeners. Calls inside a caller's transaction call no listener.
   */
  onTask(listener: TaskListener<T>): () => void {
    return this.queue.events.on(listener);
  }
}
