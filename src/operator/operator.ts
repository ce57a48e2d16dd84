import { reading } from '../database/database.js';
import type { Task } from '../contract/task.entity.js';
import type { Batches } from '../batches/batches.js';
import type { Bulk } from '../bulk/bulk.js';
import type { BulkList, BulkRequest, Bulks } from '../bulk/bulks.js';
import type { TaskCallback } from '../callbacks/callback.js';
import type {
  CallbackList,
  CallbackListOptions,
  Callbacks,
  ReplayFilter,
  ReplayResult,
} from '../callbacks/callbacks.service.js';
import type { Services, ServiceSettings, ServiceState } from '../flow/services.js';
import type { TaskAttempt } from '../metrics/attempt.js';
import type { Metrics } from '../metrics/metrics.service.js';
import type { Stats, StatsOptions } from '../metrics/stats.js';
import type { Schedules } from '../schedules/schedules.js';
import type { Queue } from '../queue/queue.js';
import { Changes } from '../queue/use-cases/change.js';
import { read } from '../queue/use-cases/read.js';
import { type Removal, remove } from '../queue/use-cases/remove.js';
import { search, type SearchCount, type SearchOptions, type SearchResult } from '../queue/use-cases/search.js';
import { OperatorBatches } from './operator-batches.js';
import { OperatorSchedules } from './operator-schedules.js';
import { Audit, type OperatorCall, type OperatorListener } from './audit.js';
import type { Overview, Overviews } from './overview.js';
import type { WorkerLoad, WorkerStore } from './worker.store.js';

/** A task with everything that is known of it. */
export interface TaskDetail<T extends Task = Task> {
  task: T;
  /** Attempts that failed or were given back, oldest first, at most the newest 100. */
  attempts: TaskAttempt[];
  /** Newest first, with their tries. */
  callbacks: TaskCallback[];
}

/** What an operator changes of a task. */
export interface OperatorChanges {
  /** BEGIN runs it again, or makes it ready now. CANCELLED cancels it. */
  status?: number | undefined;
  /** Lower is claimed first: -32,768 to 32,767. */
  priority?: number | undefined;
}

/** The parts of the queue that an operator looks into. */
export interface OperatorRooms<T extends Task> {
  bulks: Bulks<T>;
  services: Services;
  schedules: Schedules<T>;
  batches: Batches<T>;
  callbacks: Callbacks;
  workers: WorkerStore;
  metrics: Metrics;
  overviews: Overviews;
}

/** What operators see and do: tasks of all owners, services, workers, callbacks. Each action is told to `onAction`. */
export class Operator<T extends Task = Task> {
  private readonly audit = new Audit();
  private readonly changes: Changes<T>;
  /** Schedules of all owners. */
  readonly schedules: OperatorSchedules<T>;
  /** Batches of all owners. */
  readonly batches: OperatorBatches<T>;

  constructor(
    private readonly queue: Queue<T>,
    private readonly rooms: OperatorRooms<T>,
  ) {
    this.changes = new Changes(queue);
    this.schedules = new OperatorSchedules(rooms.schedules, this.audit);
    this.batches = new OperatorBatches(rooms.batches, this.audit);
  }

  /** What is in the queue and what happened in it, by service. At most 2 s old, or older if reading is slow. */
  async overview(): Promise<Overview> {
    return this.rooms.overviews.get();
  }

  /** What happened, as a series for a chart. INVALID_PARAM. */
  async stats(options: StatsOptions = {}): Promise<Stats> {
    return this.rooms.metrics.stats(options);
  }

  /** Tasks of all owners, newest first, as far as one search goes. INVALID_PARAM. */
  async search(options: SearchOptions = {}): Promise<SearchResult<T>> {
    return search(this.queue, options);
  }

  /** Everything of one task. NOT_FOUND. */
  async get(taskId: string): Promise<TaskDetail<T>> {
    const task = await read(this.queue, taskId);
    const { list: callbacks } = await this.rooms.callbacks.list({ taskId });
    return { task, attempts: await this.rooms.metrics.attemptsOf(taskId), callbacks };
  }

  /** Runs a task again, makes it ready, cancels it, or changes its priority. NOT_FOUND, INVALID_STATE, INVALID_PARAM. */
  async update(taskId: string, changes: OperatorChanges, { by }: OperatorCall = {}): Promise<T> {
    const { status, priority } = changes;
    const task = await this.changes.update(taskId, { status, priority } as never, {});
    this.audit.tell({ action: 'change', by, count: 1, detail: { taskId, status, priority } });
    return task;
  }

  /** Deletes tasks, except those that a worker holds. INVALID_PARAM. */
  async remove(ids: string[], { by }: OperatorCall = {}): Promise<Removal> {
    const removal = await remove(this.queue, ids, {});
    this.audit.tell({ action: 'delete', by, count: removal.deleted.length, detail: { ids: removal.deleted } });
    return removal;
  }

  /** Starts a change of many tasks. INVALID_PARAM. */
  async bulk(request: BulkRequest, { by }: OperatorCall = {}): Promise<Bulk> {
    const bulk = await this.rooms.bulks.start(request, { by });
    this.audit.tell({ action: 'bulk', by, count: 0, detail: { ...request, bulkId: bulk.bulkId } });
    return bulk;
  }

  /** How many tasks such a change would concern now. INVALID_PARAM. */
  async countBulk(request: BulkRequest): Promise<SearchCount> {
    return this.rooms.bulks.count(request);
  }

  /** One bulk, of any owner. NOT_FOUND. */
  async getBulk(bulkId: string): Promise<Bulk> {
    return this.rooms.bulks.get(bulkId);
  }

  /** Bulks of the last 7 days, newest first. INVALID_PARAM. */
  async bulks(options: { limit?: number; cursor?: string } = {}): Promise<BulkList> {
    return this.rooms.bulks.list(options);
  }

  /** Stops a bulk. What was done stays done. NOT_FOUND. */
  async abortBulk(bulkId: string, { by }: OperatorCall = {}): Promise<Bulk> {
    const bulk = await this.rooms.bulks.abort(bulkId);
    this.audit.tell({ action: 'abortBulk', by, count: 1, detail: { bulkId } });
    return bulk;
  }

  /** What operators have set for services. */
  async services(): Promise<ServiceState[]> {
    return this.rooms.services.list();
  }

  /** Pauses or resumes a service. INVALID_PARAM. */
  async setService(service: string, settings: ServiceSettings, { by }: OperatorCall = {}): Promise<ServiceState> {
    const state = await this.rooms.services.set(service, settings, by);
    this.audit.tell({ action: 'setService', by, count: 1, detail: { service, ...settings } });
    return state;
  }

  /** Callbacks, newest first. INVALID_PARAM. */
  async callbacks(options: CallbackListOptions = {}): Promise<CallbackList> {
    return this.rooms.callbacks.list(options);
  }

  /** Delivers a callback again. NOT_FOUND. */
  async replayCallback(id: string, { by }: OperatorCall = {}): Promise<TaskCallback> {
    const callback = await this.rooms.callbacks.replay(id);
    this.audit.tell({ action: 'replayCallback', by, count: 1, detail: { id } });
    return callback;
  }

  /** Delivers up to 1,000 callbacks again, by default dead ones. INVALID_PARAM. */
  async replayCallbacks(filter: ReplayFilter = {}, { by }: OperatorCall = {}): Promise<ReplayResult> {
    const result = await this.rooms.callbacks.replayAll(filter);
    this.audit.tell({ action: 'replayCallbacks', by, count: result.replayed, detail: { ...filter } });
    return result;
  }

  /** Who holds tasks now, most first, at most 1,000. */
  async workers(): Promise<WorkerLoad[]> {
    return reading(this.queue.database, () => this.rooms.workers.list(1000));
  }

  /** Calls the listener after each action, in this process. Returns a function that stops listening. */
  onAction(listener: OperatorListener): () => void {
    return this.audit.on(listener);
  }
}
