import { ID, type SideTable } from './table.js';

/** Changes of many tasks at once, and how far they are. */
export const BULKS: SideTable = {
  suffix: 'bulks',
  holds: 'bulk changes',
  columns: {
    id: ID,
    user_id: { kind: 'key', length: 255, nullable: true },
    requested_by: { kind: 'string', length: 255, nullable: true },
    action: { kind: 'string', length: 10 },
    filter: { kind: 'text' },
    position: { kind: 'text', nullable: true },
    last_id: ID,
    state: { kind: 'string', length: 10 },
    matched: { kind: 'int', default: 0 },
    done: { kind: 'int', default: 0 },
    failed: { kind: 'int', default: 0 },
    due_at: { kind: 'time', nullable: true },
    lease_token: { ...ID, nullable: true },
    created_at: { kind: 'time' },
    ended_at: { kind: 'time', nullable: true },
  },
  indexes: {
    due: { on: ['due_at'], where: { column: 'due_at', is: 'not null' } },
    owner: { on: ['user_id', 'id'] },
  },
};
