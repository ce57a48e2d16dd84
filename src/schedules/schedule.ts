import type { Task } from '../contract/task.entity.js';
import type { NewTask } from '../queue/creation/create.js';

/** What happens at a time at which the task of the time before has not ended. */
export const OVERLAPS = ['skip', 'allow', 'buffer'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** Which of the times that were missed, because nothing was running, are made up for. */
export const CATCH_UPS = ['none', 'one', 'all'] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

/** `active`: there are times to come. `ended`: there are none, because `endAt` is over. */
export const SCHEDULE_STATES = ['active', 'paused', 'ended'] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

/** The task of a schedule: what a create takes. It is always ready at once. */
export type ScheduledTask<T extends Task = Task> = Omit<NewTask<T>, 'userId' | 'runAt' | 'status'>;

/** When which task is created. Either `cron` or `every`. */
export interface ScheduleSettings<T extends Task = Task> {
  /** Five fields (minute, hour, day of month, month, day of week), or @hourly, @daily, @weekly, @monthly, @yearly. */
  cron?: string | undefined;
  /** Seconds from one time to the next, counted from `startAt`, or from when the schedule was made. */
  every?: number | undefined;
  /** The IANA time zone of `cron`, such as Europe/London. @defaultValue 'UTC' */
  timeZone?: string | undefined;
  task: ScheduledTask<T>;
  /**
   * While the last task has not ended: `skip` leaves the time out, `allow` creates another task, `buffer` creates one
   * when the last task has ended. @defaultValue 'skip'
   */
  overlap?: Overlap | undefined;
  /**
   * Times that were missed, because no process was running: `none` leaves them out, `one` makes up for the latest,
   * `all` for each. @defaultValue 'one'
   */
  catchUp?: CatchUp | undefined;
  /** Seconds after which a missed time is not made up for any more. @defaultValue 3600 */
  catchUpWindow?: number | undefined;
  /** No time before this one: a Date, or ISO 8601 with its zone. */
  startAt?: Date | string | undefined;
  /** No time after this one. */
  endAt?: Date | string | undefined;
  /** The most seconds, at random, by which a task is late. It spreads schedules of the same time. @defaultValue 0 */
  jitter?: number | undefined;
  /** Creates no tasks until it is resumed. Left out: as before. */
  paused?: boolean | undefined;
}

/** The settings as they are kept, with every default. */
export interface Definition {
  cron: string | null;
  every: number | null;
  timeZone: string;
  task: Record<string, unknown>;
  overlap: Overlap;
  catchUp: CatchUp;
  catchUpWindow: number;
  /** ISO 8601. */
  startAt: string | null;
  endAt: string | null;
  jitter: number;
}

/** What became of one time. */
export interface ScheduleRun {
  scheduledFor: Date;
  /** null: no task was created. */
  taskId: string | null;
  /** Why there is no task: the last one had not ended, or the create was refused. */
  error: string | null;
}

/** A schedule as it is shown. */
export interface Schedule extends Omit<Definition, 'startAt' | 'endAt'> {
  key: string;
  userId: string;
  startAt: Date | null;
  endAt: Date | null;
  paused: boolean;
  state: ScheduleState;
  /** The next five times. Empty while it is paused, and after `endAt`. */
  next: Date[];
  /** The last task that it created. */
  last: { scheduledFor: Date; taskId: string } | null;
  /** The last 20 times, newest first. */
  runs: ScheduleRun[];
  createdAt: Date;
  updatedAt: Date;
}
