/** Schedules on the wire, as in the OpenAPI document. */
import type { NewTask } from './wire.types.js';

/** The task of a schedule: what a create takes. It is ready at once. */
export type ScheduledTask = Omit<NewTask, 'status' | 'runAt'>;

/** When which task is created. Either `cron` or `every`. */
export interface ScheduleSettings {
  /** Five fields (minute, hour, day of month, month, day of week), or @hourly, @daily, @weekly, @monthly, @yearly. */
  cron?: string;
  /** Seconds from one time to the next, counted from `startAt`, or from the first `put()`. */
  every?: number;
  /** The IANA time zone of `cron`, such as Europe/London. By default UTC. */
  timeZone?: string;
  task: ScheduledTask;
  /** While the last task has not ended. By default `skip`. */
  overlap?: 'skip' | 'allow' | 'buffer';
  /** Which missed times are made up for. By default `one`. */
  catchUp?: 'none' | 'one' | 'all';
  /** Seconds after which a missed time is not made up for. By default 3600. */
  catchUpWindow?: number;
  startAt?: string;
  endAt?: string;
  /** The most seconds, at random, by which a task is late. */
  jitter?: number;
  /** Left out: as before. */
  paused?: boolean;
}

/** What became of one time. */
export interface ScheduleRun {
  scheduledFor: string;
  /** null: no task was created. */
  taskId: string | null;
  /** Why there is no task. */
  error: string | null;
}

export interface Schedule {
  key: string;
  cron: string | null;
  every: number | null;
  timeZone: string;
  task: Record<string, unknown>;
  overlap: 'skip' | 'allow' | 'buffer';
  catchUp: 'none' | 'one' | 'all';
  catchUpWindow: number;
  startAt: string | null;
  endAt: string | null;
  jitter: number;
  paused: boolean;
  /** `ended`: there are no times to come. */
  state: 'active' | 'paused' | 'ended';
  /** The next five times. */
  next: string[];
  /** The last task that it created at one of its times. */
  last: { scheduledFor: string; taskId: string } | null;
  /** The last 20 times, newest first. */
  runs: ScheduleRun[];
  createdAt: string;
  updatedAt: string;
}

/** A schedule as operators see it. */
export interface OperatorSchedule extends Schedule {
  /** The owner. */
  userId: string;
}

/** One schedule, for operators: a key is unique only for its owner. */
export interface OwnedSchedule {
  userId: string;
  key: string;
}

export interface ScheduleQuery {
  /** Only schedules in this state. A page may then be short although there are more. */
  state?: 'active' | 'paused' | 'ended';
  /** 1 to 100. */
  limit?: number;
  /** The `nextCursor` of the page before. */
  cursor?: string;
}

export interface OperatorScheduleQuery extends ScheduleQuery {
  /** Only schedules of this owner. */
  userId?: string;
}

export interface SchedulePage<Shown = Schedule> {
  /** In the order of owners and keys. */
  list: Shown[];
  nextCursor: string | null;
}
