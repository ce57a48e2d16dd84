/**
 * The types on the wire, as in the OpenAPI document: a test compares the two. The client imports nothing else from the
 * server. `npm run docs` writes the marked parts from `contract/task.fields.ts` and the DTOs.
 */

import type { Unique } from './unique.types.js';

/** Why a claim got nothing: the service is paused, as many of its tasks run as may, or its rate is used up. */
export type WaitReason = 'paused' | 'limit' | 'rate';

/** The header of an empty answer to a claim that says so. */
export const WAIT_HEADER = 'X-Task-Wait';

/** A task. Times are ISO 8601 in UTC. An absent text is `''`. */
export interface Task {
  // <task>
  /** Id of the task, a UUID (version 7) made by the server. */
  taskId: string;
  /** Kind of work. */
  service: string;
  /** Narrows what a worker claims within a service. */
  group: string | null;
  /** Status of the task: one of `TASK_STATUS`, or of the statuses of the host. */
  status: number;
  /** Percent done. */
  progress: number;
  /** What to work on, for example an object-storage id. */
  input: string;
  /** Parameters of the work. */
  args: string;
  /** Checkpoint: intermediate data that the worker keeps between its steps. */
  temp: string;
  /** The result, for example an object-storage id. */
  output: string;
  /** Why the last attempt failed. */
  error: string | null;
  /** Tasks with a lower number are claimed first; with the same number, the oldest first. */
  priority: number;
  /** When a waiting task becomes ready, or when it became ready. */
  runAt: string | null;
  /** How often workers have taken the task since it was created or last run again. */
  attempt: number;
  /** Attempts until the task has failed for good. null: the configuration of its service decides. */
  maxAttempts: number | null;
  /** When the lease ends, unless a report renews it. null while no worker has the task. */
  leaseExpiresAt: string | null;
  /** When the task was created. */
  createdAt: string | null;
  /** When the row last changed. */
  updatedAt: string | null;
  /** When a worker last took the task. */
  startedAt: string | null;
  /** When the task ended: finished, failed or was cancelled. */
  finishedAt: string | null;
  /** The schedule that created the task. Left out if none did. */
  scheduleKey?: string;
  /** The time of the schedule that the task is for. Left out without a schedule. */
  scheduledFor?: string;
  /** The unique key that the task holds. Left out if it holds none, or no longer. */
  uniqueKey?: string;
  /** The batch that the task belongs to. Left out if it belongs to none. */
  batchId?: string;
  // </task>
}

/** A task as workers see it. */
export interface WorkerTask extends Task {
  /** The callback's address. Empty if there is none. */
  callbackUrl: string;
}

export interface NewTask {
  // <create>
  /** What to work on, for example an object-storage id. At most 65,535 bytes of UTF-8. */
  input: string;
  /** Parameters of the work. At most 65,535 bytes of UTF-8. */
  args?: string;
  /** Kind of work, by which workers filter. If absent, the default service. At most 64 characters. */
  service?: string;
  /** Narrows what a worker claims within a service. At most 64 characters. */
  group?: string;
  /**
   * Tasks with a lower number are claimed first; with the same number, the oldest first. The option `userPriority` may
   * narrow the range. -32,768 to 32,767.
   */
  priority?: number;
  /**
   * The task waits until this time, and is ready from then on. ISO 8601 with its zone, such as
   * 2026-12-24T18:00:00+01:00.
   */
  runAt?: string;
  /** Attempts until the task has failed for good. If absent, the configuration decides. 1 to 1,000. */
  maxAttempts?: number;
  /**
   * The server sends a notice to this address when the task ends, instead of to the one in the configuration. It must
   * be http or https, without user and password, at an origin that the configuration allows, and at a public address
   * unless the configuration allows others. At most 2,048 characters.
   */
  callbackUrl?: string;
  /**
   * At most one task of the owner in the service holds the key. If another one does, nothing is created: the answer is
   * that task, with `duplicate`. In forms: its JSON text.
   */
  unique?: Unique;
  /** INIT for a draft (the default), BEGIN for a task that is ready to be claimed. */
  status?: number;
  // </create>
}

export interface TaskChanges {
  // <change>
  /** Replaces the input, if no worker has taken the task yet. At most 65,535 bytes of UTF-8. */
  input?: string;
  /** Replaces the parameters, if no worker has taken the task yet. At most 65,535 bytes of UTF-8. */
  args?: string;
  /** BEGIN makes the task ready, or runs an ended one again. CANCELLED cancels it. */
  status?: number;
  // </change>
}

export interface ListQuery {
  // <list>
  /** Number of the page, the first one by default. Not allowed together with `cursor`. From 1. */
  page?: number;
  /** Tasks on a page: the size of a page, not its number. 1 to 10,000. */
  pageNum?: number;
  /**
   * The `nextCursor` of the page before, instead of `page`. New tasks do not shift the pages, and a deep page costs no
   * more than the first one.
   */
  cursor?: string;
  /** Only tasks in this status. */
  status?: number;
  /** Only tasks of this group. At most 64 characters. */
  group?: string;
  /** Only tasks of this service. At most 64 characters. */
  service?: string;
  /**
   * Only these tasks, all of them, without paging: at most 1000 ids, as a list, or in forms and queries as its JSON
   * text. A URL holds about 200 ids; send more in a body, with POST.
   */
  ids?: string[];
  // </list>
}

/** `ids`, or `service` and `group`, one of them or both. */
export interface WatchQuery {
  // <watch>
  /**
   * Only these tasks, at most 1000: ids with commas in between, or the JSON text of a list. A URL holds about 200 ids.
   * Not allowed together with `service`, `group` or `batchId`.
   */
  ids?: string[];
  /** The newest 1000 tasks of this service, and new ones. At most 64 characters. */
  service?: string;
  /** The newest 1000 tasks of this group, and new ones. At most 64 characters. */
  group?: string;
  /** The newest 1000 tasks of this batch, and new ones. At most 36 characters. */
  batchId?: string;
  /** The same as the header Last-Event-ID, for clients that cannot send it. */
  lastEventId?: string;
  // </watch>
}

export interface ClaimQuery {
  // <claim>
  /** Claims only tasks of this service. At most 64 characters. */
  service?: string;
  /** Claims only tasks of this group. At most 64 characters. */
  group?: string;
  /** Claims this task, if it is ready. */
  taskId?: string;
  /**
   * Length of the lease in seconds: the claim ends unless a report renews it. If absent, the configuration decides. 1
   * to 86,400.
   */
  lease?: number;
  /**
   * Claims at most this number of tasks, 1 if absent; fewer if they are large, because an answer holds at most 8 MiB.
   * With it, `data` is always `{"list":[…]}`. 0 withdraws the claim with this Idempotency-Key, even while it waits: the
   * answer holds the tasks that it has taken, and it takes no more. 0 to 100.
   */
  limit?: number;
  /** Seconds to wait for a task if none is ready. The answer comes as soon as there is one. 0 to 30. */
  wait?: number;
  /** Name of the worker: free text, stored with the task. At most 64 characters. */
  workerId?: string;
  // </claim>
}

/** The answer to a report. */
export interface ReportedTask {
  task: WorkerTask;
  /** The callback's address, under its legacy name. */
  updateUrl: string;
  leaseExpiresAt: string | null;
}

export interface ClaimedTask extends ReportedTask {
  /** Send it with every report on the task. */
  leaseToken: string;
  /** Which attempt at the task this is, from 1. */
  attempt: number;
  /** The trace in which the task was created, as the W3C writes it. Absent: it was not traced. */
  traceparent?: string;
}

export interface Report {
  // <report>
  /** The token of the claim. It may be in the header Lease-Token instead. Only claims in the legacy form need none. */
  leaseToken?: string;
  /** Percent done, from 0. A value above 100 counts as 100. From 0. */
  progress?: number;
  /** START or a status of the host while in progress, FINISHED or ERROR at the end, BEGIN to give the task back. */
  status?: number;
  /** Checkpoint: intermediate data that the worker keeps between its steps. At most 65,535 bytes of UTF-8. */
  temp?: string;
  /** The result, for example an object-storage id. At most 65,535 bytes of UTF-8. */
  output?: string;
  /** Why the attempt failed. At most 65,535 bytes of UTF-8. */
  error?: string;
  /** Length of the lease in seconds, from now on. If absent, it stays as it is. 1 to 86,400. */
  lease?: number;
  /** With status ERROR: the task runs again after a back-off, if it has attempts left. */
  retry?: boolean;
  /**
   * Seconds until the next attempt, if the task is retried or given back. If absent, the back-off decides. 0 to
   * 31,536,000.
   */
  delay?: number;
  /**
   * Pauses the service of the task for this number of seconds, for all workers: for example because an API answers 429.
   * It never shortens a pause. 1 to 86,400.
   */
  pauseService?: number;
  // </report>
}

/** One of many reports. */
export interface TaskReport extends Report {
  taskId: string;
}

/** The answer to one of many reports: the same as if it were sent alone, or its error. */
export type ReportAnswer =
  ({ taskId: string } & ReportedTask) | { taskId: string; failure: { code: number; msg: string; detail?: unknown } };
