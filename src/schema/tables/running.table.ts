import { ID, type SideTable } from './table.js';

/**
 * Only for MySQL, which has no partial indexes: the running tasks whose claim has marked them (column `limited`),
 * maintained by triggers.
 */
export const RUNNING: SideTable = {
  suffix: 'running',
  holds: 'running tasks of limited services',
  columns: {
    service: { kind: 'key', length: 64 },
    user_id: { kind: 'key', length: 255 },
    task_id: ID,
  },
  primaryKey: ['service', 'user_id', 'task_id'],
  indexes: {},
};
