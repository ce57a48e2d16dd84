import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Column, Entity, getMetadataArgsStorage, PrimaryColumn } from 'typeorm';

/** The JSON of a task: the legacy fields under their names, then ours. Times are ISO 8601 in UTC. */
export interface TaskJson {
  taskId: string;
  service: string;
  status: number;
  progress: number;
  input: string;
  args: string;
  temp: string;
  output: string;
  group: string | null;
  priority: number;
  attempt: number;
  maxAttempts: number | null;
  error: string | null;
  runAt: string | null;
  createdAt: string | null;
  updatedAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  leaseExpiresAt: string | null;
  [column: string]: unknown;
}

const ApiTime = (description: string): PropertyDecorator =>
  ApiProperty({ type: String, format: 'date-time', nullable: true, description, example: '2026-11-24T09:30:00.000Z' });

/**
 * One row of the task table. A host extends it, adds columns (and the migration that creates them), and overrides
 * `toResponse()` to show them.
 *
 * `synchronize: false`: TypeORM's schema sync does not know triggers, partial indexes and binary collations, and would
 * remove them. `taskMigrations()` creates the table.
 */
@ApiSchema({ name: 'task' })
@Entity('tasks', { synchronize: false })
export class Task {
  @ApiProperty({
    description: 'Id of the task, a UUID (version 7) made by the server.',
    format: 'uuid',
    example: '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c',
  })
  @PrimaryColumn({ name: 'id', type: 'varchar', length: 36 })
  taskId!: string;

  /** The owner: at most 255 characters, compared byte for byte. */
  @Column({ name: 'user_id', type: 'varchar', length: 255 })
  userId!: string;

  @ApiProperty({ description: 'Kind of work; at most 64 characters.', maxLength: 64, example: 'transcode' })
  @Column({ type: 'varchar', length: 64 })
  service!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Narrows what a worker claims within a service; at most 64 characters.',
    maxLength: 64,
    example: 'gpu-large',
  })
  @Column({ type: 'varchar', length: 64, nullable: true })
  group!: string | null;

  @ApiProperty({ type: 'integer', description: 'Status of the task.', example: 10 })
  @Column({ type: 'int', default: 0 })
  status!: number;

  @ApiProperty({ type: 'integer', description: 'Percent done, 0 to 100.', minimum: 0, maximum: 100, example: 0 })
  @Column({ type: 'smallint', default: 0 })
  progress!: number;

  @ApiProperty({
    type: String,
    description: 'What to work on, e.g. an object-storage id; at most 65,535 bytes of UTF-8.',
    example: 's3://bucket/in.mp4',
  })
  @Column({ type: 'text', nullable: true })
  input!: string | null;

  @ApiProperty({
    type: String,
    description: 'Parameters of the work; at most 65,535 bytes of UTF-8.',
    example: '{"height":720}',
  })
  @Column({ type: 'text', nullable: true })
  args!: string | null;

  @ApiProperty({
    type: String,
    description: 'Intermediate data that the worker keeps between its steps; at most 65,535 bytes of UTF-8.',
    example: '',
  })
  @Column({ type: 'text', nullable: true })
  temp!: string | null;

  @ApiProperty({
    type: String,
    description: 'The result, e.g. an object-storage id; at most 65,535 bytes of UTF-8.',
    example: '',
  })
  @Column({ type: 'text', nullable: true })
  output!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why the last attempt failed; at most 65,535 bytes of UTF-8.',
    example: 'CUDA out of memory',
  })
  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @ApiProperty({
    type: 'integer',
    description: 'Tasks with a lower number are claimed first; with the same number, the oldest first.',
    example: 0,
  })
  @Column({ type: 'smallint', default: 0 })
  priority!: number;

  @ApiTime('When a waiting task becomes ready, or when it became ready.')
  @Column({ name: 'run_at', type: Date, nullable: true })
  runAt!: Date | null;

  @ApiProperty({
    type: 'integer',
    name: 'attempt',
    description: 'How often workers have taken the task since it was created or last run again.',
    example: 1,
  })
  @Column({ type: 'int', default: 0 })
  attempts!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Attempts until the task has failed for good. null: the configuration of its service decides.',
    example: 5,
  })
  @Column({ name: 'max_attempts', type: 'int', nullable: true })
  maxAttempts!: number | null;

  /** How often in a row workers gave the task back. */
  @Column({ type: 'int', default: 0 })
  releases!: number;

  /**
   * Fences reports. It stays after the lease, until the next claim, so that a worker can repeat a report whose answer
   * is lost.
   */
  @Column({ name: 'lease_token', type: 'varchar', length: 36, nullable: true })
  leaseToken!: string | null;

  /** null if no lease runs. */
  @ApiTime('When the lease ends, unless a report renews it; null while no worker has the task.')
  @Column({ name: 'lease_expires_at', type: Date, nullable: true })
  leaseExpiresAt!: Date | null;

  /** Length of the lease in seconds: a report renews it by this. */
  @Column({ name: 'lease_seconds', type: 'int', nullable: true })
  leaseSeconds!: number | null;

  /** The worker that has, or last had, the task: free text of the worker. */
  @Column({ name: 'worker_id', type: 'varchar', length: 64, nullable: true })
  workerId!: string | null;

  /** Fingerprint of the claim request that took the task. */
  @Column({ name: 'claim_key', type: 'varchar', length: 64, nullable: true })
  claimKey!: string | null;

  /** The task's own callback address, set when it was created. null: option `callbackUrl` applies. */
  @Column({ name: 'callback_url', type: 'text', nullable: true })
  callbackUrl!: string | null;

  /** In an adopted table stored in the time zone of option `timeZone`. */
  @ApiTime('When the task was created.')
  @Column({ name: 'created_at', type: Date, nullable: true })
  createdAt!: Date | null;

  @ApiTime('When the row last changed.')
  @Column({ name: 'updated_at', type: Date, nullable: true })
  updatedAt!: Date | null;

  @ApiTime('When a worker last took the task.')
  @Column({ name: 'started_at', type: Date, nullable: true })
  startedAt!: Date | null;

  @ApiTime('When the task ended: finished, failed or was cancelled.')
  @Column({ name: 'finished_at', type: Date, nullable: true })
  finishedAt!: Date | null;

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
      runAt: iso(this.runAt),
      createdAt: iso(this.createdAt),
      updatedAt: iso(this.updatedAt),
      startedAt: iso(this.startedAt),
      finishedAt: iso(this.finishedAt),
      leaseExpiresAt: iso(this.leaseExpiresAt),
    };
  }
}

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;

const OWN_COLUMNS = getMetadataArgsStorage().filterColumns(Task);

/** Properties of the queue's own columns. A host's DTO and values may not use these names. */
export const TASK_COLUMNS: readonly string[] = OWN_COLUMNS.map((column) => column.propertyName);

/** The same columns by their names in the database. */
export const TASK_COLUMN_NAMES: readonly string[] = OWN_COLUMNS.map(
  (column) => column.options.name ?? column.propertyName,
);
