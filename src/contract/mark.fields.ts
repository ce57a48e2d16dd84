import { BOUNDS } from '../protocol/bounds.js';
import { ID } from './column.js';
import type { TaskField } from './task-field.js';

/** The last fields of a task: what schedules, unique keys and batches write on it. */
export const MARK_FIELDS = {
  scheduleKey: {
    column: 'schedule_key',
    kind: 'key',
    length: BOUNDS.scheduleKeyLength,
    nullable: true,
    shown: {
      description: 'The schedule that created the task. Left out if none did.',
      example: 'nightly',
      optional: true,
    },
  },
  scheduledFor: {
    column: 'scheduled_for',
    kind: 'time',
    nullable: true,
    shown: {
      description: 'The time of the schedule that the task is for. Left out without a schedule.',
      optional: true,
    },
  },
  uniqueKey: {
    column: 'unique_key',
    kind: 'key',
    length: BOUNDS.uniqueKeyLength,
    nullable: true,
    shown: {
      description: 'The unique key that the task holds. Left out if it holds none, or no longer.',
      example: 'reindex-42',
      optional: true,
    },
  },
  /** Until when it holds its unique key, and the key: it stays when the key is free, for a task that runs again. */
  uniqueRule: {
    column: 'unique_rule',
    kind: 'key',
    length: BOUNDS.uniqueKeyLength + 'claimed '.length,
    nullable: true,
  },
  batchId: {
    column: 'batch_id',
    ...ID,
    nullable: true,
    shown: {
      description: 'The batch that the task belongs to. Left out if it belongs to none.',
      example: '019ab1f0-7d11-7f02-8c7e-0b9f4d2a6e10',
      optional: true,
    },
  },
} as const satisfies Record<string, TaskField>;
