import { TASK_TABLE_COLUMNS } from '../../contract/task.fields.js';
import { dueAt } from '../../database/dialects/due-at.js';
import { idleStatuses } from '../../database/dialects/running.js';
import type { TaskSchemaOptions } from '../schema.js';
import type { Table } from './table.js';

/** The task table: adopted from the legacy version, or created here. */
export function tasksTable({ table, status }: TaskSchemaOptions): Table {
  // MySQL has a separate table for these rows: ready.table.ts.
  const ready = { where: { column: 'status', is: status.BEGIN }, except: 'mysql' } as const;
  return {
    name: table,
    holds: 'tasks',
    columns: {
      ...TASK_TABLE_COLUMNS,
      status: { ...TASK_TABLE_COLUMNS.status!, default: status.INIT },
      // 1: the claim that last took the task was one of a limited service. The entity does not have it.
      limited: { kind: 'small', nullable: true },
      due_at: { kind: 'time', nullable: true, derived: (engine, is) => dueAt(engine, status, '', is) },
    },
    indexes: {
      owner: { on: ['user_id', 'created_at', 'id'] },
      ready: { on: ['service', 'priority', 'created_at', 'id'], ...ready },
      ready_group: { on: ['service', 'group', 'priority', 'created_at', 'id'], ...ready },
      // Owners take turns in its order.
      ready_owner: {
        on: ['service', 'priority', 'user_id', 'created_at', 'id'],
        byBytes: 'user_id',
        forTurns: true,
        ...ready,
      },
      // MySQL has a separate table for these rows, too: running.table.ts.
      running: {
        on: ['service', 'user_id'],
        where: { column: 'limited', is: 1, neither: { column: 'status', of: idleStatuses(status) } },
        except: 'mysql',
      },
      due: { on: ['due_at'], where: { column: 'due_at', is: 'not null' } },
    },
  };
}
