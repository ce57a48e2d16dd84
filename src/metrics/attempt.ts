import type { AttemptOutcome } from '../queue/events.js';

/** How an attempt ended that did not finish its task. */
export type FailedOutcome = Exclude<AttemptOutcome, 'finished'>;

/** An attempt that failed, or that was given back. */
export interface TaskAttempt {
  /** Its number since the task was last set to run. An attempt that was given back has the number of the next one. */
  attempt: number;
  workerId: string | null;
  startedAt: Date | null;
  endedAt: Date;
  outcome: FailedOutcome;
  /** Its error, cut to 4,096 bytes of UTF-8. */
  error: string | null;
}
