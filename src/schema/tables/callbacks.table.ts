import { ID, type SideTable } from './table.js';

/** Callbacks that are due, and those that ended. */
export const CALLBACKS: SideTable = {
  suffix: 'callbacks',
  holds: 'callbacks',
  columns: {
    id: ID,
    task_id: ID,
    type: { kind: 'string', length: 20 },
    url: { kind: 'text' },
    origin: { kind: 'key', length: 300 },
    is_own: { kind: 'tiny' },
    state: { kind: 'key', length: 10 },
    attempts: { kind: 'int' },
    due_at: { kind: 'time', nullable: true },
    lease_token: { ...ID, nullable: true },
    tries: { kind: 'text' },
    created_at: { kind: 'time' },
    ended_at: { kind: 'time', nullable: true },
    body: { kind: 'long text' },
  },
  indexes: {
    due: { on: ['due_at', 'origin'], where: { column: 'due_at', is: 'not null' } },
    task: { on: ['task_id', 'id'] },
    list: { on: ['state', 'id'] },
    end: { on: ['ended_at'], where: { column: 'ended_at', is: 'not null' } },
  },
};
