import { ID, type SideTable } from './table.js';

/** Attempts that failed. A task that succeeds at once has no row here. */
export const ATTEMPTS: SideTable = {
  suffix: 'attempts',
  holds: 'failed attempts',
  columns: {
    task_id: ID,
    id: ID,
    attempt: { kind: 'int' },
    outcome: { kind: 'key', length: 20 },
    worker_id: { kind: 'string', length: 64, nullable: true },
    started_at: { kind: 'time', nullable: true },
    ended_at: { kind: 'time' },
    error: { kind: 'text', nullable: true },
  },
  primaryKey: ['task_id', 'id'],
  indexes: {},
};
