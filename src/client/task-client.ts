import {
  type ClaimedTask,
  type ClaimQuery,
  type ListQuery,
  type NewTask,
  type Removal,
  type Report,
  type ReportAnswer,
  type ReportedTask,
  STATUS,
  type StatusCodes,
  type Task,
  type TaskChanges,
  type TaskPage,
  type TaskReport,
  URIS,
  type Uris,
} from './api.types.js';
import { ERROR_CODE, type ErrorCodes, TaskApiError, WaitTimeoutError } from './errors.js';
import { backoff, pause } from './pause.js';
import { type RequestOptions, Transport, type TransportOptions } from './transport.js';

export interface TaskClientOptions extends TransportOptions {
  /** Where a host has put the routes, after `baseUrl`. @defaultValue URIS */
  uris?: Partial<Uris>;
  /** A host's own integers of statuses. @defaultValue STATUS */
  status?: Partial<StatusCodes>;
  /** A host's own codes of failures. @defaultValue ERROR_CODE */
  codes?: Partial<ErrorCodes>;
}

/** The same key makes the same request happen once, however often it is sent. */
export interface Keyed {
  /** @defaultValue a new one for each call */
  idempotencyKey?: string;
}

export interface WaitOptions {
  /** Seconds to wait for the end. @defaultValue for ever */
  timeout?: number;
  /** Seconds between two looks, at most; the first ones come sooner. @defaultValue 5 */
  interval?: number;
  signal?: AbortSignal;
}

/** Milliseconds until the second look at a task whose end is waited for. */
const FIRST_LOOK = 250;
/** Milliseconds that a look may take, at least: the last one begins when the time is up. */
const LEAST_LOOK = 250;

/**
 * Every route of the queue, for users (create, get, list, update, cancel, remove) and for workers (claim, report,
 * release): the token says which. Failures are TaskApiErrors. What may be sent again is, by itself, and happens once; a
 * change of status and a removal are, unless they may have been heard.
 */
export class TaskClient {
  /** Role of a status -> integer. */
  readonly status: StatusCodes;
  /** Name of a failure -> code. */
  readonly codes: ErrorCodes;
  private readonly transport: Transport;
  private readonly uris: Uris;

  constructor({ uris, status, codes, ...options }: TaskClientOptions) {
    this.transport = new Transport(options);
    this.uris = { ...URIS, ...uris };
    this.status = { ...STATUS, ...status };
    this.codes = { ...ERROR_CODE, ...codes };
  }

  /** Creates a task. */
  create(task: NewTask, { idempotencyKey = newKey(), ...options }: Keyed & RequestOptions = {}): Promise<Task> {
    const path = this.uris.postTaskUri;
    return this.transport.send({ method: 'POST', path, body: task, idempotencyKey, ...options });
  }

  /** Creates up to 1,000 tasks: all or none. */
  async createMany(tasks: NewTask[], options: Keyed & RequestOptions = {}): Promise<Task[]> {
    const { idempotencyKey = newKey(), ...rest } = options;
    const path = this.uris.postTaskUri;
    const request = { method: 'POST', path, body: tasks, idempotencyKey, ...rest } as const;
    return (await this.transport.send<{ list: Task[] }>(request)).list;
  }

  get(taskId: string, options: RequestOptions = {}): Promise<Task> {
    return this.transport.send({ method: 'GET', path: withId(this.uris.getTaskUri, taskId), ...options });
  }

  /** Own tasks, newest first. */
  list(query: ListQuery = {}, options: RequestOptions = {}): Promise<TaskPage> {
    return this.transport.send({ method: 'GET', path: this.uris.getTaskListUri, query, ...options });
  }

  /** Replaces what is given. */
  update(taskId: string, changes: TaskChanges, options: RequestOptions = {}): Promise<Task> {
    const path = withId(this.uris.putTaskUri, taskId);
    // What it says of the status may have been overtaken by the time that it is sent again.
    const once = changes.status !== undefined;
    return this.transport.send({ method: 'PUT', path, body: changes, once, ...options });
  }

  /** Makes a draft or a waiting task ready now, or runs an ended one again. */
  markReady(taskId: string, options: RequestOptions = {}): Promise<Task> {
    return this.update(taskId, { status: this.status.BEGIN }, options);
  }

  /** Calls a task off; its worker hears of it with its next report. */
  cancel(taskId: string, options: RequestOptions = {}): Promise<Task> {
    return this.update(taskId, { status: this.status.CANCELLED }, options);
  }

  /** Deletes own tasks, but for those that a worker holds. */
  remove(ids: string | string[], options: RequestOptions = {}): Promise<Removal> {
    const path = this.uris.deleteTaskUri;
    return this.transport.send({ method: 'DELETE', path, body: { ids: [ids].flat() }, once: true, ...options });
  }

  /**
   * The task once it has ended, however it did: finished, failed for good, or cancelled. A queue that is away meanwhile is
   * asked again. After `timeout` a WaitTimeoutError, or, where no look was answered, the failure of the last one.
   */
  async waitFor(taskId: string, { timeout = Infinity, interval = 5, signal }: WaitOptions = {}): Promise<Task> {
    const { FINISHED, ERROR, CANCELLED } = this.status;
    const end = performance.now() + timeout * 1000;
    const left = (): number => end - performance.now();
    let seen: Task | undefined;
    for (let gap = FIRST_LOOK; ; gap = Math.min(gap * 1.5, interval * 1000)) {
      let rest = gap * (0.8 + Math.random() * 0.2);
      let failure: unknown;
      try {
        const most = Math.min(Math.max(left(), LEAST_LOOK) / 1000, this.transport.timeout);
        seen = await this.get(taskId, { signal, retries: 0, timeout: most });
        if ([FINISHED, ERROR, CANCELLED].includes(seen.status)) return seen;
      } catch (error) {
        if (!(error instanceof TaskApiError && error.retryable)) throw error;
        rest = Math.max(rest, backoff(1, error.retryAfter));
        failure = error;
      }
      if (left() <= 0) {
        if (!seen) throw failure;
        const what = `task ${taskId} has not ended within ${timeout} s`;
        throw new WaitTimeoutError(what, { detail: { task: seen }, cause: failure });
      }
      await pause(Math.min(rest, left()), signal);
    }
  }

  /** Takes ready tasks, each for this worker alone; none where there are none, after `wait`. */
  async claim(query: ClaimQuery = {}, options: Keyed & RequestOptions = {}): Promise<ClaimedTask[]> {
    const { idempotencyKey = newKey(), timeout = 10 + (query.wait ?? 0), ...rest } = options;
    const [path, body] = [this.uris.getCronTaskUri, { ...query, limit: query.limit ?? 1 }];
    const request = { method: 'POST', path, body, idempotencyKey, timeout, ...rest } as const;
    return (await this.transport.send<{ list: ClaimedTask[] }>(request)).list;
  }

  /** A worker's word on its task: replaces what is given, and renews the lease. */
  report(taskId: string, report: Report, options: RequestOptions = {}): Promise<ReportedTask> {
    const path = withId(this.uris.putCronTaskUri, taskId);
    return this.transport.send({ method: 'PUT', path, body: report, ...options });
  }

  /** Up to 100 reports at once, each judged for itself; the answers are in their order. */
  async reportMany(reports: TaskReport[], options: RequestOptions = {}): Promise<ReportAnswer[]> {
    const request = { method: 'PUT', path: this.uris.getCronTaskUri, body: { reports }, ...options } as const;
    const { list } = await this.transport.send<{ list: Answer[] }>(request);
    return list.map(({ taskId, status, data }) =>
      status === 1 ? { taskId, ...(data as ReportedTask) } : { taskId, failure: data as { code: number; msg: string } },
    );
  }

  /** Gives a task back, as no attempt; ready again after `delay` seconds. */
  release(taskId: string, { leaseToken, delay }: Report, options: RequestOptions = {}): Promise<ReportedTask> {
    return this.report(taskId, { leaseToken, delay, status: this.status.BEGIN }, options);
  }
}

const withId = (uri: string, taskId: string): string => uri.replace('{taskId}', encodeURIComponent(taskId));

/** An envelope among many. */
interface Answer {
  taskId: string;
  status: number;
  data: unknown;
}

/** A random UUID; browsers have `randomUUID` on pages of https and of localhost alone. */
export function newKey(): string {
  const { crypto } = globalThis;
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
