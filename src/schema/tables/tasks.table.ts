import { dueAt } from '../../database/dialects/due-at.js';
import type { TaskSchemaOptions } from '../schema.js';
import { ID, type Table } from './table.js';

/** The task table: adopted from the legacy version, or created here. */
export function tasksTable({ table, status }: TaskSchemaOptions): Table {
  // MySQL has a separate table for these rows: ready.table.ts.
  const ready = { where: { column: 'status', is: status.BEGIN }, except: 'mysql' } as const;
  return {
    name: table,
    holds: 'tasks',
    columns: {
      id: { ...ID, original: 'always' },
      user_id: { kind: 'key', length: 255, original: 'always' },
      service: { kind: 'key', length: 64, original: 'always' },
      group: { kind: 'key', length: 64, nullable: true, original: 'perhaps' },
      status: { kind: 'int', default: status.INIT, original: 'always' },
      progress: { kind: 'tiny', default: 0, original: 'always' },
      input: { kind: 'text', nullable: true, original: 'always' },
      args: { kind: 'text', nullable: true, original: 'always' },
      temp: { kind: 'text', nullable: true, original: 'always' },
      output: { kind: 'text', nullable: true, original: 'always' },
      error: { kind: 'text', nullable: true },
      priority: { kind: 'small', default: 0 },
      run_at: { kind: 'time', nullable: true },
      attempts: { kind: 'int', default: 0 },
      max_attempts: { kind: 'int', nullable: true },
      releases: { kind: 'int', default: 0 },
      lease_token: { ...ID, nullable: true },
      lease_expires_at: { kind: 'time', nullable: true },
      lease_seconds: { kind: 'int', nullable: true },
      worker_id: { kind: 'string', length: 64, nullable: true },
      claim_key: { kind: 'key', length: 64, nullable: true },
      callback_url: { kind: 'text', nullable: true },
      created_at: { kind: 'local time', nullable: true, original: 'perhaps' },
      updated_at: { kind: 'local time', nullable: true, original: 'perhaps' },
      started_at: { kind: 'time', nullable: true },
      finished_at: { kind: 'time', nullable: true },
      due_at: { kind: 'time', nullable: true, derived: (engine, is) => dueAt(engine, status, '', is) },
    },
    indexes: {
      owner: { on: ['user_id', 'created_at', 'id'] },
      ready: { on: ['service', 'priority', 'created_at', 'id'], ...ready },
      ready_group: { on: ['service', 'group', 'priority', 'created_at', 'id'], ...ready },
      due: { on: ['due_at'], where: { column: 'due_at', is: 'not null' } },
    },
  };
}
