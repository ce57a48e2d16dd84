import { BOUNDS } from '../protocol/bounds.js';
import { TASK_STATUS } from '../protocol/status.js';
import { ID, type StoredColumn } from './column.js';
import { MARK_FIELDS } from './mark.fields.js';
import type { FieldUse, TaskField } from './task-field.js';

export type { FieldUse, TaskField };

/** What several columns hold. */
const NAME = { kind: 'key', length: BOUNDS.nameLength } as const;
const LEGACY_TEXT = { kind: 'text', nullable: true, original: 'always' } as const;
const TIME = { kind: 'time', nullable: true } as const;
const LOCAL_TIME = { kind: 'local time', nullable: true, original: 'perhaps' } as const;

/**
 * Every field of a task: the column, in the order of a new table, what clients see of it, and who may write it. The
 * table, the entity's columns, the OpenAPI document, the rules of requests, the types of both clients and the tables of
 * docs/rest-api.md are made from this.
 *
 * A new field is an entry here. The compiler, or a test, then asks for the property in `Task`, its line in
 * `toResponse()`, and the property in the DTOs. `npm run docs` writes the rest.
 */
export const TASK_FIELDS = {
  taskId: {
    column: 'id',
    ...ID,
    original: 'always',
    shown: {
      description: 'Id of the task, a UUID (version 7) made by the server.',
      example: '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c',
    },
  },
  userId: { column: 'user_id', kind: 'key', length: BOUNDS.userIdLength, original: 'always' },
  service: {
    ...NAME,
    original: 'always',
    shown: { description: 'Kind of work.', example: 'transcode' },
    create: { description: 'Kind of work, by which workers filter. If absent, the default service.' },
  },
  group: {
    ...NAME,
    nullable: true,
    original: 'perhaps',
    shown: { description: 'Narrows what a worker claims within a service.', example: 'gpu-large' },
    create: {},
  },
  status: {
    kind: 'int',
    default: TASK_STATUS.INIT,
    original: 'always',
    // The catalogue of the registration has the bounds.
    value: {},
    shown: { description: 'Status of the task: one of `TASK_STATUS`, or of the statuses of the host.', example: 10 },
    create: {
      description: 'INIT for a draft (the default), BEGIN for a task that is ready to be claimed.',
      example: 10,
    },
    change: {
      description: 'BEGIN makes the task ready, or runs an ended one again. CANCELLED cancels it.',
      example: 10,
    },
    report: {
      description:
        'START or a status of the host while in progress, FINISHED or ERROR at the end, BEGIN to give the task back.',
    },
  },
  progress: {
    kind: 'tiny',
    default: 0,
    original: 'always',
    value: { min: 0 },
    shown: { description: 'Percent done.', minimum: 0, maximum: 100, example: 0 },
    report: { description: 'Percent done, from 0. A value above 100 counts as 100.', example: 50 },
  },
  input: {
    ...LEGACY_TEXT,
    shown: {
      description: 'What to work on, for example an object-storage id.',
      example: 's3://bucket/in.mp4',
      nullAs: '',
    },
    create: { required: true, example: 's3://bucket/in.mp4' },
    change: { description: 'Replaces the input, if no worker has taken the task yet.' },
  },
  args: {
    ...LEGACY_TEXT,
    shown: { description: 'Parameters of the work.', example: '{"height":720}', nullAs: '' },
    create: {},
    change: { description: 'Replaces the parameters, if no worker has taken the task yet.' },
  },
  temp: {
    ...LEGACY_TEXT,
    shown: {
      description: 'Checkpoint: intermediate data that the worker keeps between its steps.',
      example: '',
      nullAs: '',
    },
    report: {},
  },
  output: {
    ...LEGACY_TEXT,
    shown: { description: 'The result, for example an object-storage id.', example: '', nullAs: '' },
    report: {},
  },
  error: {
    kind: 'text',
    nullable: true,
    shown: { description: 'Why the last attempt failed.', example: 'CUDA out of memory' },
    report: { description: 'Why the attempt failed.' },
  },
  priority: {
    kind: 'small',
    default: 0,
    shown: {
      description: 'Tasks with a lower number are claimed first; with the same number, the oldest first.',
      example: 0,
    },
    create: {
      description:
        'Tasks with a lower number are claimed first; with the same number, the oldest first. The option `userPriority` ' +
        'may narrow the range.',
      default: 0,
    },
  },
  runAt: {
    column: 'run_at',
    ...TIME,
    shown: { description: 'When a waiting task becomes ready, or when it became ready.' },
    create: { description: 'The task waits until this time, and is ready from then on.' },
  },
  attempts: {
    kind: 'int',
    default: 0,
    shown: {
      name: 'attempt',
      description: 'How often workers have taken the task since it was created or last run again.',
      example: 1,
    },
  },
  maxAttempts: {
    column: 'max_attempts',
    kind: 'int',
    nullable: true,
    value: BOUNDS.maxAttempts,
    shown: {
      description: 'Attempts until the task has failed for good. null: the configuration of its service decides.',
      example: 5,
    },
    create: { description: 'Attempts until the task has failed for good. If absent, the configuration decides.' },
  },
  releases: { kind: 'int', default: 0 },
  leaseToken: { column: 'lease_token', ...ID, nullable: true },
  leaseExpiresAt: {
    column: 'lease_expires_at',
    ...TIME,
    shown: { description: 'When the lease ends, unless a report renews it. null while no worker has the task.' },
  },
  leaseSeconds: { column: 'lease_seconds', kind: 'int', nullable: true },
  workerId: { column: 'worker_id', kind: 'string', length: BOUNDS.workerIdLength, nullable: true },
  claimKey: { column: 'claim_key', kind: 'key', length: 64, nullable: true },
  callbackUrl: {
    column: 'callback_url',
    kind: 'text',
    nullable: true,
    value: 'url',
    create: {
      description:
        'The server sends a notice to this address when the task ends, instead of to the one in the configuration. It ' +
        'must be http or https, without user and password, at an origin that the configuration allows, and at a public ' +
        'address unless the configuration allows others.',
    },
  },
  /** The trace of the create: workers get it with the claim, users do not see it. */
  traceparent: { kind: 'string', length: 55, nullable: true },
  createdAt: { column: 'created_at', ...LOCAL_TIME, shown: { description: 'When the task was created.' } },
  updatedAt: { column: 'updated_at', ...LOCAL_TIME, shown: { description: 'When the row last changed.' } },
  startedAt: { column: 'started_at', ...TIME, shown: { description: 'When a worker last took the task.' } },
  finishedAt: {
    column: 'finished_at',
    ...TIME,
    shown: { description: 'When the task ended: finished, failed or was cancelled.' },
  },
  ...MARK_FIELDS,
} as const satisfies Record<string, TaskField>;

export type TaskFieldName = keyof typeof TASK_FIELDS;

const FIELDS = Object.entries(TASK_FIELDS as Record<string, TaskField>);

/** Names of the fields. A host's DTO and values may not use them. */
export const TASK_COLUMNS: readonly string[] = FIELDS.map(([name]) => name);

/** Name of a column of the queue -> its declaration, in the order of a new table. */
export const TASK_TABLE_COLUMNS: Readonly<Record<string, StoredColumn>> = Object.fromEntries(
  FIELDS.map(([name, field]) => [field.column ?? name, field]),
);

/** The fields that a request may write, and what the API says of each. */
export const writtenFields = (use: FieldUse): [name: string, field: TaskField][] =>
  FIELDS.filter(([, field]) => field[use]);
