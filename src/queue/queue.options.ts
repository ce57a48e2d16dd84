import { IsBoolean, IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { TaskStatusCatalogue } from '../contract/status.js';
import { Follows } from '../validation/field.js';
import { LEASE_SECONDS, MAX_ATTEMPTS, quotaRule, retentionRule } from '../validation/rules.js';
import type { Quota, QueueSettings } from './queue.js';
import { type Backoff, backoffRule } from './backoff.js';

/** Options of the queue itself. */
export class QueueValues {
  /** Service of a task that names none, at most 64 characters. @defaultValue 'default' */
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  defaultService: string = 'default';

  /** Status of a task that names none: the integer of INIT or of BEGIN. @defaultValue INIT's: 0 */
  @IsOptional()
  @IsInt()
  initialStatus?: number;

  /** Seconds that a claim holds without a report, 1 to 86,400. A claim may name its own. @defaultValue 300 */
  @IsInt()
  @Min(LEASE_SECONDS.min)
  @Max(LEASE_SECONDS.max)
  lease: number = 300;

  /**
   * The same for a legacy claim, whose worker may be silent until it ends the task.
   * @defaultValue 43200
   */
  @IsInt()
  @Min(LEASE_SECONDS.min)
  @Max(LEASE_SECONDS.max)
  legacyLease: number = 43_200;

  /** Refuses reports without `leaseToken`, and so shuts out legacy workers. @defaultValue false */
  @IsBoolean()
  requireLease: boolean = false;

  /** Attempts until a task has failed for good, 1 to 1,000. A task may have its own number. @defaultValue 3 */
  @IsInt()
  @Min(MAX_ATTEMPTS.min)
  @Max(MAX_ATTEMPTS.max)
  maxAttempts: number = 3;

  /**
   * Seconds that a task waits after a failure that may be retried: `base` after the first, doubled after each further
   * one, at most `max`, plus a random share of up to `jitter`.
   * @defaultValue { base: 10, max: 3600, jitter: 0.2 }
   */
  @Follows(backoffRule)
  backoff: Partial<Backoff> = {};

  /**
   * The most tasks of one owner that have not ended, kept exactly. A number, or in code a function of the owner
   * (undefined: no limit). Beyond it a create answers TOO_MANY_TASK.
   * @defaultValue undefined
   */
  @IsOptional()
  @Follows(quotaRule)
  maxActiveTasks?: Quota;

  /** Seconds that the idempotency keys of creates are kept, from 1 minute to 30 days. @defaultValue 86400 */
  @IsInt()
  @Min(60)
  @Max(2_592_000)
  idempotencyTtl: number = 86_400;

  /** The most claims that wait for a task at once in this process. Beyond it: TOO_MANY_REQUESTS. @defaultValue 1000 */
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxWaiters: number = 1000;

  /**
   * Days that ended tasks are kept, `{ finished, failed }`. `failed` applies to cancelled tasks, too. Omitted: no
   * limit.
   * @defaultValue {}
   */
  @Follows(retentionRule)
  retention: { finished?: number; failed?: number } = {};
}

/** The options as the queue works with them. */
export function queueSettings(options: QueueValues & { status: TaskStatusCatalogue }): QueueSettings {
  const { status, initialStatus = status.INIT, retention, ...rest } = options;
  const seconds = (days: number | undefined): number | undefined => (days === undefined ? undefined : days * 86_400);
  return {
    ...rest,
    maxActiveTasks: options.maxActiveTasks,
    initialStatus,
    retention: { finished: seconds(retention.finished), failed: seconds(retention.failed) },
  };
}
