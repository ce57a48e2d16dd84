/**
 * The types on the wire, as in the OpenAPI document: a test compares the two. The client imports nothing else from the
 * server.
 */

/** A task. Times are ISO 8601 in UTC. An absent text is `''`. */
export interface Task {
  /** Id, a UUID that the server makes. */
  taskId: string;
  /** Kind of work. */
  service: string;
  /** Narrows what a worker claims within a service. */
  group: string | null;
  /** Where the task is in its life: one of `TASK_STATUS`, or of the host's own. */
  status: number;
  /** Percent done, 0 to 100. */
  progress: number;
  /** What to work on, for example an object-storage id. */
  input: string;
  /** Parameters of the work. */
  args: string;
  /** Intermediate data of the worker: the checkpoint. */
  temp: string;
  /** The result, for example an object-storage id. */
  output: string;
  /** Why the last attempt failed. */
  error: string | null;
  /** Lower is claimed first; with the same priority, the oldest first. */
  priority: number;
  /** When a waiting task becomes ready. Afterwards: when it became ready. */
  runAt: string | null;
  /** How often workers have taken the task since it was last set to run. */
  attempt: number;
  /** Attempts until the task has failed for good. null: the value of its service. */
  maxAttempts: number | null;
  /** When the worker's lease runs out. null while no worker has the task. */
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
  /** The callback's address. Empty if there is none. */
  callbackUrl: string;
}

export interface NewTask {
  /** What to work on, at most 65,535 bytes of UTF-8, like every text. */
  input: string;
  args?: string;
  /** At most 64 characters, like `group`. Omitted: the server's default service. */
  service?: string;
  group?: string;
  /** Lower is claimed first: -32,768 to 32,767, by default 0. */
  priority?: number;
  /** Ready from this time on: ISO 8601 with its zone. */
  runAt?: string;
  maxAttempts?: number;
  /** The address of the callback, instead of the one in the server's configuration. */
  callbackUrl?: string;
  /** INIT for a draft (the server's default), or BEGIN for a ready task. */
  status?: number;
}

export interface TaskChanges {
  /** Only until a worker has had the task, like `args`. */
  input?: string;
  args?: string;
  /** BEGIN makes it ready, or runs an ended task again. CANCELLED cancels it. */
  status?: number;
}

export interface ListQuery {
  /** From 1. */
  page?: number;
  /** Tasks on a page: by default 10, at most 10,000. A page may have fewer; `nextCursor` continues it. */
  pageNum?: number;
  /** The `nextCursor` of the page before, instead of `page`. */
  cursor?: string;
  service?: string;
  group?: string;
  status?: number;
  /** Only these tasks, without paging. */
  ids?: string[];
}

export interface TaskPage {
  /** Newest first. */
  list: Task[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

export interface Removal {
  deleted: string[];
  /** Tasks that a worker holds, or that do not exist, each with its reason. */
  notDeleted: { taskId: string; code: number; msg: string }[];
}

export interface ClaimQuery {
  service?: string;
  group?: string;
  /** Only this task, if it is ready. */
  taskId?: string;
  /** Seconds that the claim holds without a report, 1 to 86,400. */
  lease?: number;
  /**
   * The most tasks, 0 to 100, by default 1. Fewer if they are large: an answer holds at most 8 MiB. 0 withdraws the
   * claim with the same idempotency key: it returns what the claim has taken, and the claim takes nothing more.
   */
  limit?: number;
  /** Seconds to wait for a task if there is none, 0 (the default) to 30. */
  wait?: number;
  /** The worker's name: free text of at most 64 characters. */
  workerId?: string;
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
}

export interface Report {
  leaseToken?: string;
  /** Percent done, 0 to 100. */
  progress?: number;
  /** START while in progress, FINISHED or ERROR at the end, BEGIN to give the task back. */
  status?: number;
  temp?: string;
  output?: string;
  /** Why the task failed. */
  error?: string;
  /** Seconds that the lease holds from now on. Omitted: as long as before. */
  lease?: number;
  /** With ERROR: another attempt may succeed. */
  retry?: boolean;
  /** Seconds until the next attempt, with a retry or a give-back. Omitted: the back-off. */
  delay?: number;
}

/** One of many reports. */
export interface TaskReport extends Report {
  taskId: string;
}

/** The answer to one of many reports: the same as if it were sent alone, or its error. */
export type ReportAnswer =
  ({ taskId: string } & ReportedTask) | { taskId: string; failure: { code: number; msg: string; detail?: unknown } };
