import { ID, type SideTable } from './table.js';

/** Only for MySQL, which has no partial indexes: the claimable tasks, maintained by triggers. */
export const READY: SideTable = {
  suffix: 'ready',
  holds: 'claimable tasks',
  columns: {
    service: { kind: 'key', length: 64 },
    priority: { kind: 'small' },
    created_at: { kind: 'time' },
    task_id: ID,
    group: { kind: 'key', length: 64, nullable: true },
    // By default empty: the triggers of release 1.0.0, which do not know it, run until the migration has replaced them.
    user_id: { kind: 'key', length: 255, default: '' },
  },
  primaryKey: ['service', 'priority', 'created_at', 'task_id'],
  indexes: {
    group: { on: ['service', 'group', 'priority', 'created_at', 'task_id'] },
    owner: { on: ['service', 'priority', 'user_id', 'created_at', 'task_id'], forTurns: true },
  },
};
