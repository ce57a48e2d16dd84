import { BOUNDS } from '../../protocol/bounds.js';
import { DIGEST, ID, type SideTable } from './table.js';

/** When which tasks are created, again and again. */
export const SCHEDULES: SideTable = {
  suffix: 'schedules',
  holds: 'schedules',
  columns: {
    // The digest of owner and key.
    id: DIGEST,
    user_id: { kind: 'key', length: 255 },
    schedule_key: { kind: 'key', length: BOUNDS.scheduleKeyLength },
    definition: { kind: 'long text' },
    // 1: option `schedules` has, or had, it.
    is_code: { kind: 'tiny', default: 0 },
    paused: { kind: 'tiny', default: 0 },
    next_for: { kind: 'time', nullable: true },
    // The time of the task that waits until the last one has ended.
    waits_for: { kind: 'time', nullable: true },
    // When to look at it: after next_for by its jitter. NULL: never.
    due_at: { kind: 'time', nullable: true },
    last_for: { kind: 'time', nullable: true },
    last_task_id: { ...ID, nullable: true },
    runs: { kind: 'text', nullable: true },
    created_at: { kind: 'time' },
    updated_at: { kind: 'time' },
  },
  indexes: {
    due: { on: ['due_at'], where: { column: 'due_at', is: 'not null' } },
    owner: { on: ['user_id', 'schedule_key'] },
  },
};
