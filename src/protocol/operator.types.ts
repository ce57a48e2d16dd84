/** What operators see and send, as in the OpenAPI document. */
import type { Task, WaitReason } from './wire.types.js';

/** A task as operators see it. */
export interface OperatorTask extends Task {
  /** The owner. */
  userId: string;
  /** The worker that last took the task. null: it named none, or none has. */
  workerId: string | null;
}

/** Which tasks. Every condition must hold. */
export interface TaskFilter {
  status?: number;
  service?: string;
  group?: string;
  workerId?: string;
  /** Only tasks of schedules with this key. */
  scheduleKey?: string;
  /** Only tasks of this batch. */
  batchId?: string;
  /** How the error of the last attempt begins. The case of letters does not matter. */
  error?: string;
  ids?: string[];
  /** Created at this time or later: ISO 8601 with its zone. */
  createdFrom?: string;
  /** Created before this time. */
  createdTo?: string;
}

/** The same for tasks of all owners. */
export interface OperatorTaskFilter extends TaskFilter {
  userId?: string;
}

export interface OperatorListQuery extends OperatorTaskFilter {
  /** The most tasks of one answer, 1 to 10,000, by default 50. */
  pageNum?: number;
  /** The `nextCursor` of the answer before. */
  cursor?: string;
}

export interface OperatorTaskPage {
  /** Newest first. May be empty although there are more: one search reads a bounded number of rows. */
  list: OperatorTask[];
  /** Continues the search. null: it has reached the end. */
  nextCursor: string | null;
  /** The time of creation to which the search has come. null: it has reached the end. */
  searchedTo: string | null;
}

/** One try of a callback. */
export interface CallbackTry {
  time: string;
  /** The HTTP status, or `error`: why there was none. */
  status?: number;
  error?: string;
  durationMs: number;
}

export interface Callback {
  id: string;
  taskId: string;
  type: string;
  url: string;
  state: 'pending' | 'delivered' | 'dead';
  /** Tries since it was created or last replayed. */
  attempts: number;
  /** When the next try is due. null once it has ended. */
  dueAt: string | null;
  /** Oldest first. */
  tries: CallbackTry[];
  createdAt: string;
  endedAt: string | null;
}

/** An attempt that failed or was given back. */
export interface Attempt {
  /** Its number since the task was last set to run. */
  attempt: number;
  workerId: string | null;
  startedAt: string | null;
  endedAt: string;
  outcome: 'failed' | 'leaseExpired' | 'released';
  /** Cut to 4,096 bytes of UTF-8. */
  error: string | null;
}

export interface OperatorTaskDetail {
  task: OperatorTask;
  /** Oldest first, at most the newest 100. */
  attempts: Attempt[];
  /** Newest first. */
  callbacks: Callback[];
}

export interface OperatorTaskChanges {
  /** BEGIN makes it ready, or runs it again. CANCELLED cancels it. */
  status?: number;
  priority?: number;
}

/** A change of many tasks. */
export interface BulkRequest<Filter = TaskFilter> {
  /** `retry` runs failed and cancelled tasks again, `cancel` cancels what has not ended, `delete` what no worker holds. */
  action: 'retry' | 'cancel' | 'delete';
  /** An empty filter needs `all`. */
  filter?: Filter;
  all?: boolean;
}

export interface Bulk {
  bulkId: string;
  action: 'retry' | 'cancel' | 'delete';
  state: 'running' | 'done' | 'aborted';
  /** Tasks that fitted so far, those for which it worked, and those for which it did not. */
  matched: number;
  done: number;
  failed: number;
  filter: Record<string, unknown>;
  /** Whose tasks it changes. null: those of all owners. */
  userId: string | null;
  /** Who asked for it. */
  requestedBy: string | null;
  createdAt: string;
  endedAt: string | null;
}

/** How many tasks a bulk would change now. */
export interface BulkCount {
  count: number;
  /** False: there may be more. */
  isExact: boolean;
}

export interface BulkPage {
  /** Newest first. */
  list: Bulk[];
  nextCursor: string | null;
}

/** At most `max` starts in `per` seconds on average. */
export interface Rate {
  max: number;
  /** Seconds. */
  per: number;
  /** Starts that may come at once after a quiet time. */
  burst: number;
}

/** What is absent stays. null gives a setting back to the option `services`. */
export interface ServiceChanges {
  /** Claims find no task of the service. Running tasks go on. */
  paused?: boolean | null;
  /** When the pause ends by itself: ISO 8601 with its zone. Empty text or null: it does not. */
  pausedUntil?: string | null;
  /** Why, for other operators. Empty text or null: no note. */
  note?: string | null;
  /** The most tasks that run at once, over all processes. */
  maxRunning?: number | null;
  /** `burst` is by default `max`. */
  rate?: (Omit<Rate, 'burst'> & { burst?: number }) | null;
  /** The most tasks of one owner that run at once, over all processes. Owners then take turns. */
  maxRunningPerOwner?: number | null;
  /** true: owners take turns. `group`: groups do. */
  fair?: Fair | null;
}

/** Whether owners, or groups, take turns. */
export type Fair = boolean | 'group';

/** Where a setting comes from. null: there is none. */
export type SettingSource = 'operator' | 'option' | null;

export interface ServiceState {
  service: string;
  paused: boolean;
  pausedUntil: string | null;
  note: string | null;
  maxRunning: number | null;
  rate: Rate | null;
  /** null with the source `option`: a function of the host decides. */
  maxRunningPerOwner: number | null;
  fair: Fair;
  /** Tasks that run and are counted, for `maxRunning`, `maxRunningPerOwner` or `fair`. null: none of them is set. */
  running: number | null;
  /** Why claims find no task now, if a pause or a limit is the reason. */
  wait: WaitReason | null;
  sources: {
    paused: SettingSource;
    maxRunning: SettingSource;
    rate: SettingSource;
    maxRunningPerOwner: SettingSource;
    fair: SettingSource;
  };
  changedBy: string | null;
  /** null: nobody has changed it, all comes from the options. */
  changedAt: string | null;
}

/** The tasks that one worker holds of one service. */
export interface WorkerLoad {
  /** null: workers that name no id. */
  workerId: string | null;
  service: string;
  running: number;
  /** When the oldest of them began. */
  since: string | null;
  /** When it last reported on one of them. */
  lastHeard: string | null;
  /** When the first of their leases ends. */
  leaseExpiresAt: string | null;
}

/** Which callbacks. */
export interface CallbackFilter {
  state?: 'pending' | 'delivered' | 'dead';
  taskId?: string;
  /** Of this origin alone, such as `https://app.example.com`. */
  origin?: string;
}

export interface PageQuery {
  /** 1 to 1,000. */
  limit?: number;
  /** The `nextCursor` of the page before. */
  cursor?: string;
}

export interface CallbackQuery extends CallbackFilter, PageQuery {}

export interface CallbackPage {
  /** Newest first. */
  list: Callback[];
  nextCursor: string | null;
}

/** Callbacks that were made due again. */
export interface ReplayResult {
  replayed: number;
  /** There may be more: send the request again. */
  isPartial: boolean;
}
