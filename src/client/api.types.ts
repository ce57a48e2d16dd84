/**
 * What goes over the wire, as the OpenAPI document says it: a test holds the two equal. Declared here by hand, so that
 * the client brings nothing of the server's along.
 */

/** A task. Times are ISO 8601, in UTC; an absent text is `''`. */
export interface Task {
  /** Id, a UUID made by the server. */
  taskId: string;
  /** Kind of work. */
  service: string;
  /** Narrows what a worker claims within a service. */
  group: string | null;
  /** Where the task is in its life: one of `STATUS`, or of the host's own. */
  status: number;
  /** Percent done, 0 to 100. */
  progress: number;
  /** What to work on, e.g. an object-storage id. */
  input: string;
  /** Parameters of the work. */
  args: string;
  /** Intermediate data of the worker's: the checkpoint. */
  temp: string;
  /** The result, e.g. an object-storage id. */
  output: string;
  /** Why the last attempt failed. */
  error: string | null;
  /** Lower is claimed first; the same: oldest first. */
  priority: number;
  /** When a waiting task becomes ready; afterwards, when it did. */
  runAt: string | null;
  /** Times that a worker has taken the task since it was last set to run. */
  attempt: number;
  /** Attempts until the task has failed for good; null: as its service's configuration says. */
  maxAttempts: number | null;
  /** When the worker's claim lapses; null while no worker has the task. */
  leaseExpiresAt: string | null;
  createdAt: string | null;
  updatedAt: string | null;
  /** When a worker last took the task. */
  startedAt: string | null;
  /** When the task ended. */
  finishedAt: string | null;
}

/** A task as workers see it. */
export interface WorkerTask extends Task {
  /** The callback's address; empty where there is none. */
  callbackUrl: string;
}

/** The statuses of a task as integers, where the host has not chosen others. */
export const STATUS = {
  /** A draft. */
  INIT: 0,
  /** Not due yet. */
  WAITING: 5,
  /** Ready: claimable now. */
  BEGIN: 10,
  /** A worker has it. */
  START: 20,
  /** Done. */
  FINISHED: 30,
  /** Failed. */
  ERROR: -10,
  /** Called off. */
  CANCELLED: -20,
} as const;

/** Role of a status -> the host's integer. */
export type StatusCodes = Record<keyof typeof STATUS, number>;

/** Where the routes are, under the names of the server's options; `{taskId}` stands for the id. */
export const URIS = {
  postTaskUri: '/api/tasks',
  getTaskListUri: '/api/tasks',
  deleteTaskUri: '/api/tasks',
  getTaskUri: '/api/tasks/{taskId}',
  putTaskUri: '/api/tasks/{taskId}',
  getCronTaskUri: '/api/crontask',
  putCronTaskUri: '/api/crontask/{taskId}',
} as const;

export type Uris = Record<keyof typeof URIS, string>;

export interface NewTask {
  /** What to work on; at most 65,535 bytes of UTF-8, as every text. */
  input: string;
  args?: string;
  /** Absent: the server's default service. At most 64 characters, as `group`. */
  service?: string;
  group?: string;
  /** Lower is claimed first; -32,768 to 32,767, 0 by default. */
  priority?: number;
  /** Ready from then on: ISO 8601 with its zone. */
  runAt?: string;
  maxAttempts?: number;
  /** Where the notice of the end goes, instead of where the server's configuration says. */
  callbackUrl?: string;
  /** INIT for a draft, the server's default, or BEGIN for a task that is ready. */
  status?: number;
}

export interface TaskChanges {
  /** Until a worker has had the task, as `args`. */
  input?: string;
  args?: string;
  /** BEGIN makes it ready, or runs an ended one again; CANCELLED calls it off. */
  status?: number;
}

export interface ListQuery {
  /** From 1. */
  page?: number;
  /** Tasks on a page: 10 by default, at most 1,000. */
  pageNum?: number;
  /** What the page before answered as `nextCursor`, instead of `page`. */
  cursor?: string;
  service?: string;
  group?: string;
  status?: number;
  /** These tasks only, without paging. */
  ids?: string[];
}

export interface TaskPage {
  /** Newest first. */
  list: Task[];
  /** For the next page; null where there is none. */
  nextCursor: string | null;
}

export interface Removal {
  deleted: string[];
  /** Those that a worker holds, or that are not there; each with its reason. */
  notDeleted: { taskId: string; code: number; msg: string }[];
}

export interface ClaimQuery {
  service?: string;
  group?: string;
  /** This task, if it is ready. */
  taskId?: string;
  /** Seconds that the claim holds without a report, 1 to 86,400. */
  lease?: number;
  /**
   * Tasks at most, 0 to 100; 1 by default. 0 withdraws the claim with the same idempotency key: answers what it has taken,
   * and has it take nothing more.
   */
  limit?: number;
  /** Seconds to wait for a task where there is none, 0 (the default) to 30. */
  wait?: number;
  /** Who the worker is: free text of at most 64 characters. */
  workerId?: string;
}

/** What a report answers. */
export interface ReportedTask {
  task: WorkerTask;
  /** The callback's address, under the original's name for it. */
  updateUrl: string;
  leaseExpiresAt: string | null;
}

export interface ClaimedTask extends ReportedTask {
  /** For every report on the task. */
  leaseToken: string;
  /** Which attempt at the task this is, from 1. */
  attempt: number;
}

export interface Report {
  leaseToken?: string;
  /** Percent done, 0 to 100. */
  progress?: number;
  /** START while in progress, FINISHED or ERROR at the end, BEGIN to give the task back. */
  status?: number;
  temp?: string;
  output?: string;
  /** Why it failed. */
  error?: string;
  /** Seconds that the lease holds from now on; absent: as long as before. */
  lease?: number;
  /** With ERROR: another attempt may mend it. */
  retry?: boolean;
  /** Seconds until the next attempt, with a retry or a give-back; absent: the back-off. */
  delay?: number;
}

/** One of many reports. */
export interface TaskReport extends Report {
  taskId: string;
}

/** The answer to one of many reports: what it would have been alone, or the failure. */
export type ReportAnswer =
  ({ taskId: string } & ReportedTask) | { taskId: string; failure: { code: number; msg: string; detail?: unknown } };
