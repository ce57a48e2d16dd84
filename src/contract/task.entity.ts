import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Column, Entity, getMetadataArgsStorage, PrimaryColumn } from 'typeorm';

/** The JSON of a task: the original's fields, under the original's names. */
export interface TaskJson {
  taskId: string;
  service: string;
  status: number;
  progress: number;
  input: string;
  args: string;
  temp: string;
  output: string;
  [column: string]: unknown;
}

/**
 * One row of the task table. A host extends it, adds columns (and the migration that makes them), and overrides
 * `toResponse()` to show them.
 *
 * `synchronize: false`: triggers, partial indexes and binary collations are beyond TypeORM's schema sync, which would
 * undo them; `taskMigrations()` makes the table.
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

  /** Owner: at most 255 characters, compared byte for byte. */
  @Column({ name: 'user_id', type: 'varchar', length: 255 })
  userId!: string;

  @ApiProperty({ description: 'Kind of work; at most 64 characters.', maxLength: 64, example: 'transcode' })
  @Column({ type: 'varchar', length: 64 })
  service!: string;

  /** Narrows what a worker claims within a service; at most 64 characters. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  group!: string | null;

  @ApiProperty({ type: 'integer', description: 'Where the task is in its life.', example: 10 })
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
    description: "Intermediate data of the worker's, for the steps in between; at most 65,535 bytes of UTF-8.",
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

  /** Why the task failed. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;

  /** Order of claims within a service: lower first, then oldest. */
  @Column({ type: 'smallint', default: 0 })
  priority!: number;

  /** When a WAITING task is due. */
  @Column({ name: 'run_at', type: Date, nullable: true })
  runAt!: Date | null;

  /** Times that a worker has taken the task. */
  @Column({ type: 'int', default: 0 })
  attempts!: number;

  @Column({ name: 'max_attempts', type: 'int', nullable: true })
  maxAttempts!: number | null;

  /** Times in a row that workers gave the task back. */
  @Column({ type: 'int', default: 0 })
  releases!: number;

  @Column({ name: 'lease_token', type: 'varchar', length: 36, nullable: true })
  leaseToken!: string | null;

  @Column({ name: 'lease_expires_at', type: Date, nullable: true })
  leaseExpiresAt!: Date | null;

  /** Who has, or last had, the task: the worker's own free text. */
  @Column({ name: 'worker_id', type: 'varchar', length: 64, nullable: true })
  workerId!: string | null;

  /** Fingerprint of the claim request that took the task. */
  @Column({ name: 'claim_key', type: 'varchar', length: 64, nullable: true })
  claimKey!: string | null;

  /** Creation. On an adopted table in the time zone of option `timeZone`. */
  @Column({ name: 'created_at', type: Date, nullable: true })
  createdAt!: Date | null;

  @Column({ name: 'updated_at', type: Date, nullable: true })
  updatedAt!: Date | null;

  /** When a worker last took the task. */
  @Column({ name: 'started_at', type: Date, nullable: true })
  startedAt!: Date | null;

  @Column({ name: 'finished_at', type: Date, nullable: true })
  finishedAt!: Date | null;

  /** What clients see. An absent text is `''`, and progress ends at 100, as ever. */
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
    };
  }
}

/** Properties of the queue's own columns: a host's DTO and its values may not name them. */
export const TASK_COLUMNS: readonly string[] = getMetadataArgsStorage()
  .filterColumns(Task)
  .map((column) => column.propertyName);
