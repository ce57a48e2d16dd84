import { ApiSchema } from '@nestjs/swagger';
import { Entity } from 'typeorm';
import type { Task as TaskOnWire } from '../protocol/wire.types.js';
import { isoTime } from './iso-time.js';
import { TaskColumn } from './task-column.js';
import type { TaskFieldName } from './task.fields.js';

/** The JSON of a task, and what a host's `toResponse()` adds. */
export interface TaskJson extends TaskOnWire {
  [column: string]: unknown;
}

/**
 * One row of the task table. A host extends it, adds columns (and the migration that creates them), and overrides
 * `toResponse()` to show them.
 *
 * `synchronize: false`: TypeORM's schema sync does not know triggers, partial indexes and binary collations, and would
 * remove them. `taskMigrations()` creates the table.
 */
@ApiSchema({ name: 'task' })
@Entity('tasks', { synchronize: false })
export class Task implements Record<TaskFieldName, unknown> {
  @TaskColumn() taskId!: string;

  /** The owner: at most 255 characters, compared byte for byte. */
  @TaskColumn() userId!: string;
  @TaskColumn() service!: string;
  @TaskColumn() group!: string | null;
  @TaskColumn() status!: number;
  @TaskColumn() progress!: number;
  @TaskColumn() input!: string | null;
  @TaskColumn() args!: string | null;
  @TaskColumn() temp!: string | null;
  @TaskColumn() output!: string | null;
  @TaskColumn() error!: string | null;
  @TaskColumn() priority!: number;
  @TaskColumn() runAt!: Date | null;
  @TaskColumn() attempts!: number;
  @TaskColumn() maxAttempts!: number | null;

  /** How often in a row workers gave the task back. */
  @TaskColumn() releases!: number;

  /**
   * Fences reports. It stays after the lease, until the next claim, so that a worker can repeat a report whose answer
   * is lost.
   */
  @TaskColumn() leaseToken!: string | null;
  @TaskColumn() leaseExpiresAt!: Date | null;

  /** Length of the lease in seconds: a report renews it by this. */
  @TaskColumn() leaseSeconds!: number | null;

  /** The worker that has, or last had, the task: free text of the worker. */
  @TaskColumn() workerId!: string | null;

  /** Fingerprint of the claim request that took the task. */
  @TaskColumn() claimKey!: string | null;

  /** The task's own callback address, set when it was created. null: option `callbackUrl` applies. */
  @TaskColumn() callbackUrl!: string | null;

  /** The span that created the task, as a `traceparent` of the W3C. null: nothing was traced. */
  @TaskColumn() traceparent!: string | null;

  /** In an adopted table stored in the time zone of option `timeZone`. */
  @TaskColumn() createdAt!: Date | null;
  @TaskColumn() updatedAt!: Date | null;
  @TaskColumn() startedAt!: Date | null;
  @TaskColumn() finishedAt!: Date | null;

  /** The schedule that created the task, by its key, and the time that it was created for. */
  @TaskColumn() scheduleKey!: string | null;
  @TaskColumn() scheduledFor!: Date | null;

  /** The unique key that the task holds. null: none, or no longer. */
  @TaskColumn() uniqueKey!: string | null;

  /** The unique key with which it was created, and until when it holds it. */
  @TaskColumn() uniqueRule!: string | null;

  /** Only on the answer to a create: this task holds the unique key already. It was not created now. */
  declare duplicate?: true;

  /** Only on the answer to a create: this duplicate got the content of the new one. */
  declare replaced?: true;

  /** The batch that the task belongs to. */
  @TaskColumn() batchId!: string | null;

  /** What clients see. As in the legacy form, an absent text is `''`, and progress is at most 100. */
  toResponse(): TaskJson {
    return {
      taskId: this.taskId,
      service: this.service,
      status: this.status,
      progress: Math.min(this.progress, 100),
      input: this.input ?? '',
      args: this.args ?? '',
      temp: this.temp ?? '',
      output: this.output ?? '',
      group: this.group,
      priority: this.priority,
      attempt: this.attempts,
      maxAttempts: this.maxAttempts,
      error: this.error,
      runAt: isoTime(this.runAt),
      createdAt: isoTime(this.createdAt),
      updatedAt: isoTime(this.updatedAt),
      startedAt: isoTime(this.startedAt),
      finishedAt: isoTime(this.finishedAt),
      leaseExpiresAt: isoTime(this.leaseExpiresAt),
      // Most tasks have none: so their answers stay as short as before.
      ...(typeof this.scheduleKey === 'string'
        ? { scheduleKey: this.scheduleKey, scheduledFor: isoTime(this.scheduledFor)! }
        : {}),
      ...(typeof this.uniqueKey === 'string' ? { uniqueKey: this.uniqueKey } : {}),
      ...(this.duplicate ? { duplicate: true } : {}),
      ...(this.replaced ? { replaced: true } : {}),
      ...(typeof this.batchId === 'string' ? { batchId: this.batchId } : {}),
    };
  }
}
