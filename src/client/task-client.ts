import {
  type ClaimedTask,
  type ClaimQuery,
  type ListQuery,
  type NewTask,
  type Report,
  type ReportAnswer,
  type ReportedTask,
  type Task,
  type TaskChanges,
  type TaskReport,
  WAIT_HEADER,
  type WaitReason,
  type WatchQuery,
} from '../protocol/wire.types.js';
import type { CreatedTask, Removal, TaskPage } from '../protocol/user-answers.types.js';
import type { BatchSettings, BatchTask } from '../protocol/batch.types.js';
import type { TaskFilter } from '../protocol/operator.types.js';
import { ERROR_CODE, type ErrorCodes } from '../protocol/error-codes.js';
import { type StatusCodes, TASK_STATUS } from '../protocol/status.js';
import { URIS, type Uris } from '../protocol/uris.js';
import { TaskApiError } from './errors.js';
import { EndWatch } from './end-watch.js';
import { waitForEnd, type WaitOptions } from './wait-for.js';
import { watch, type WatchEvent, type WatchOptions } from './watch.js';
import { type BatchCall, BatchClient } from './batch-client.js';
import { BulkClient } from './bulk-client.js';
import { ScheduleClient } from './schedule-client.js';
import { newKey } from './new-key.js';
import { OperatorClient } from './operator-client.js';
import { type RequestOptions, Transport, type TransportOptions } from './transport.js';

export interface TaskClientOptions extends TransportOptions {
  /** The host's routes, after `baseUrl`. @defaultValue URIS */
  uris?: Partial<Uris>;
  /** The host's own integers of statuses. @defaultValue STATUS */
  status?: Partial<StatusCodes>;
  /** The host's own codes of errors. @defaultValue ERROR_CODE */
  codes?: Partial<ErrorCodes>;
}

/** Requests with the same key have their effect once, however often they are sent. */
export interface Keyed {
  /** @defaultValue a new one for each call */
  idempotencyKey?: string;
}

interface ClaimCall extends Keyed, RequestOptions {
  /** Called with the answer: why there is no task, if a pause or a limit is the reason. */
  onWait?: ((reason: WaitReason | undefined) => void) | undefined;
}

/** The most ids in a URL: proxies and servers refuse URLs of more than 8 KB. */
const URL_IDS = 100;
/** The most ids that `watch` takes: with commas they fit into a URL. */
const WATCHED_IDS = 200;

/**
 * Every route of the queue, for users (create, get, list, update, cancel, remove) and for workers (claim, report,
 * release). The token decides which are allowed. Failures are TaskApiErrors. The client repeats requests that may be
 * repeated, and their effect happens once. A change of status and a removal are only repeated if the queue has surely
 * not received them.
 */
export class TaskClient {
  /** Role of a status -> integer. */
  readonly status: StatusCodes;
  /** Name of an error -> code. */
  readonly codes: ErrorCodes;
  /** Changes of many own tasks. */
  readonly bulks: BulkClient<TaskFilter>;
  /** Own schedules: tasks that are created again and again. */
  readonly schedules: ScheduleClient;
  /** Own batches: tasks that belong together. */
  readonly batches: BatchClient;
  /** The routes for operators: for a client with an operator's token. */
  readonly operator: OperatorClient;
  private readonly transport: Transport;
  private readonly uris: Uris;
  private readonly ends: EndWatch;

  constructor({ uris, status, codes, ...options }: TaskClientOptions) {
    this.transport = new Transport(options);
    this.uris = { ...URIS, ...listsUri(uris), ...uris };
    this.bulks = new BulkClient(this.transport, `${this.uris.getTaskListUri}/bulk`);
    this.schedules = new ScheduleClient(this.transport, this.uris.scheduleUri);
    this.status = { ...TASK_STATUS, ...status };
    this.operator = new OperatorClient(this.transport, this.uris.operatorUri, this.status.CANCELLED);
    this.batches = new BatchClient(this.transport, this.uris.batchUri, this.status.CANCELLED);
    this.codes = { ...ERROR_CODE, ...codes };
    const { FINISHED, ERROR, CANCELLED } = this.status;
    this.ends = new EndWatch([FINISHED, ERROR, CANCELLED], (ids, signal) => this.watch({ ids }, { signal }));
  }

  /** Creates a task. If another one holds its `unique` key, that one is returned, with `duplicate`. */
  create(task: NewTask, { idempotencyKey = newKey(), ...options }: Keyed & RequestOptions = {}): Promise<CreatedTask> {
    const path = this.uris.postTaskUri;
    return this.transport.send({ method: 'POST', path, body: task, idempotencyKey, ...options });
  }

  /** Creates up to 1,000 tasks, all or none. Those whose `unique` keys others hold are returned as in `create`. */
  async createMany(tasks: NewTask[], options: Keyed & RequestOptions = {}): Promise<CreatedTask[]> {
    const { idempotencyKey = newKey(), ...rest } = options;
    const request = { method: 'POST', path: this.uris.postTaskUri, body: tasks, idempotencyKey, ...rest } as const;
    return (await this.transport.send<{ list: CreatedTask[] }>(request)).list;
  }

  /** Creates tasks that belong together. `await client.batch(tasks).wait()` resolves when all have ended. */
  batch(tasks: BatchTask[], settings: BatchSettings = {}, options: Keyed & RequestOptions = {}): BatchCall {
    return this.batches.start(tasks, settings, options);
  }

  get(taskId: string, options: RequestOptions = {}): Promise<Task> {
    return this.transport.send({ method: 'GET', path: withId(this.uris.getTaskUri, taskId), ...options });
  }

  /**
   * Own tasks, newest first. An answer holds at most 8 MiB: if the tasks are larger, a page has fewer tasks and
   * `nextCursor` continues it, and `ids` are requested in parts. Only a `page` by number is then TOO_LARGE.
   */
  async list(query: ListQuery = {}, options: RequestOptions = {}): Promise<TaskPage> {
    try {
      return await this.page(query, options);
    } catch (error) {
      const fits = fitsOf(error);
      const { page, ids } = query;
      if (fits === undefined || page !== undefined) throw error;
      if (!ids) return this.page({ ...query, pageNum: fits }, options);
      const half = Math.ceil(ids.length / 2);
      const first = await this.list({ ...query, ids: ids.slice(0, half) }, options);
      const second = await this.list({ ...query, ids: ids.slice(half) }, options);
      return { list: [...first.list, ...second.list].sort(newestFirst), nextCursor: null };
    }
  }

  /** Replaces the given fields. */
  update(taskId: string, changes: TaskChanges, options: RequestOptions = {}): Promise<Task> {
    const path = withId(this.uris.putTaskUri, taskId);
    // A repeated change of status might undo a later one.
    const once = changes.status !== undefined;
    return this.transport.send({ method: 'PUT', path, body: changes, once, ...options });
  }

  /** Makes a draft or a waiting task ready now, or runs an ended task again. */
  markReady(taskId: string, options: RequestOptions = {}): Promise<Task> {
    return this.update(taskId, { status: this.status.BEGIN }, options);
  }

  /** Cancels a task. Its worker learns it with its next report. */
  cancel(taskId: string, options: RequestOptions = {}): Promise<Task> {
    return this.update(taskId, { status: this.status.CANCELLED }, options);
  }

  /** Deletes own tasks, except those that a worker holds. */
  remove(ids: string | string[], options: RequestOptions = {}): Promise<Removal> {
    const path = this.uris.deleteTaskUri;
    return this.transport.send({ method: 'DELETE', path, body: { ids: [ids].flat() }, once: true, ...options });
  }

  /**
   * Own tasks as they are, then each change as it happens: `{ event: 'task', task }`, or `{ event: 'removed', taskId }`
   * for a task that was deleted or is not the user's. Give `ids` (at most 200), or `service` and `group`. It connects
   * again by itself, and ends with the loop, or by the signal. A server without event streams answers 404.
   */
  watch(query: Omit<WatchQuery, 'lastEventId'>, { signal }: WatchOptions = {}): AsyncGenerator<WatchEvent> {
    const { ids = [], ...rest } = query;
    if (ids.length > WATCHED_IDS)
      throw new TypeError(`watch() takes at most ${WATCHED_IDS} ids; watch a service, a group or a batch`);
    // As text: a JSON list would be too long for a URL.
    const named = { ...rest, ...(query.ids ? { ids: ids.join(',') } : {}) };
    const path = this.uris.getTaskEventsUri;
    const open = (lastEventId: string | undefined): Promise<Response> => {
      const headers = { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) };
      return this.transport.open({ method: 'GET', path, query: named, headers, signal });
    };
    return watch(open, signal);
  }

  /**
   * Resolves with the task once it has ended: finished, failed for good, or cancelled. If the queue is away meanwhile,
   * it tries again. All calls of a client share one stream of events; without one it asks at intervals. After `timeout` it throws a WaitTimeoutError, or the last error if no look was answered.
   */
  waitFor(taskId: string, options: WaitOptions = {}): Promise<Task> {
    const { ends, transport } = this;
    const most = transport.timeout;
    const look = (request: RequestOptions): Promise<Task> => this.get(taskId, request);
    return waitForEnd(taskId, options, { ends, look, most });
  }

  /** Takes ready tasks for this worker only. Empty if there are none after `wait` seconds. */
  async claim(query: ClaimQuery = {}, options: ClaimCall = {}): Promise<ClaimedTask[]> {
    const { idempotencyKey = newKey(), timeout = 10 + (query.wait ?? 0), onWait, ...rest } = options;
    const [path, body] = [this.uris.getCronTaskUri, { ...query, limit: query.limit ?? 1 }];
    const heard = (headers: Headers): void => onWait?.((headers.get(WAIT_HEADER) as WaitReason | null) ?? undefined);
    const request = { method: 'POST', path, body, idempotencyKey, timeout, heard, ...rest } as const;
    return (await this.transport.send<{ list: ClaimedTask[] }>(request)).list;
  }

  /** A worker's report on its task. Replaces the given fields, and renews the lease. */
  report(taskId: string, report: Report, options: RequestOptions = {}): Promise<ReportedTask> {
    const path = withId(this.uris.putCronTaskUri, taskId);
    return this.transport.send({ method: 'PUT', path, body: report, ...options });
  }

  /** Up to 100 reports at once. Each is decided on its own, and the answers have the same order. */
  async reportMany(reports: TaskReport[], options: RequestOptions = {}): Promise<ReportAnswer[]> {
    const request = { method: 'PUT', path: this.uris.getCronTaskUri, body: { reports }, ...options } as const;
    const { list } = await this.transport.send<{ list: Answer[] }>(request);
    return list.map(({ taskId, status, data }) =>
      status === 1 ? { taskId, ...(data as ReportedTask) } : { taskId, failure: data as { code: number; msg: string } },
    );
  }

  /** Gives a task back without using an attempt. It is ready again after `delay` seconds. */
  release(taskId: string, { leaseToken, delay }: Report, options: RequestOptions = {}): Promise<ReportedTask> {
    return this.report(taskId, { leaseToken, delay, status: this.status.BEGIN }, options);
  }

  private page(query: ListQuery, options: RequestOptions): Promise<TaskPage> {
    if ((query.ids?.length ?? 0) > URL_IDS)
      return this.transport.send({ method: 'POST', path: this.uris.postTaskListUri, body: query, ...options });
    return this.transport.send({ method: 'GET', path: this.uris.getTaskListUri, query, ...options });
  }
}

/** As the server does it: if the host moved the list route, its variants move with it. */
const listsUri = ({ getTaskListUri: list }: Partial<Uris> = {}): Partial<Uris> =>
  list === undefined ? {} : { postTaskListUri: `${list}/list`, getTaskEventsUri: `${list}/events` };

const withId = (uri: string, taskId: string): string => uri.replace('{taskId}', encodeURIComponent(taskId));

/** How many of the requested tasks fit into one answer, if the server says that not all of them do. */
function fitsOf(error: unknown): number | undefined {
  if (!(error instanceof TaskApiError) || error.httpStatus !== 413 || !Array.isArray(error.detail)) return undefined;
  const [problem] = error.detail as { rule?: unknown; fits?: unknown }[];
  return problem?.rule === 'answerBytes' && Number(problem.fits) > 0 ? Number(problem.fits) : undefined;
}

/** In the server's order: newest first, tasks without a time of creation last. */
const newestFirst = (a: Task, b: Task): number => {
  const [first, second] = [`${a.createdAt ?? ''} ${a.taskId}`, `${b.createdAt ?? ''} ${b.taskId}`];
  return first < second ? 1 : -1;
};

/** One envelope of many. */
interface Answer {
  taskId: string;
  status: number;
  data: unknown;
}
