import type { Task } from '../../contract/task.entity.js';
import { TASK_COLUMNS, TASK_FIELDS, type TaskField, writtenFields } from '../../contract/task.fields.js';
import { invalid } from '../../validation/invalid.js';
import type { TaskValues } from '../stores/columns.js';
import type { NewRow } from '../stores/task.store.js';

/** Values for the columns that a host's entity adds. */
export type OwnColumns<T extends Task> = Partial<Omit<T, keyof Task>>;

/** The fields that a create may write. */
export const CREATED = writtenFields('create').map(([name]) => name);

export function checkStatus(status: number, allowed: readonly number[]): void {
  if (!allowed.includes(status))
    throw invalid([{ field: 'status', rule: 'isIn', msg: `status must be one of ${allowed.join(', ')}` }]);
}

/** The values for a host's own columns. The queue's columns are dropped, because only the queue writes them. */
export function ownColumns(values: object): Record<string, unknown> {
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) if (!QUEUE_VALUES.has(name)) own[name] = value;
  return own;
}
const QUEUE_VALUES: ReadonlySet<string> = new Set([...TASK_COLUMNS, 'unique']);

/**
 * What a new row gives a task that holds its unique key: all that a create may write, but neither service nor status. The
 * task of a schedule is for the newer time.
 */
export function contentOf(row: NewRow): TaskValues {
  const content: TaskValues = { ...ownColumns(row), uniqueRule: row.uniqueRule };
  for (const name of OF_SCHEDULES) if (row[name]) content[name] = row[name];
  for (const name of CONTENT) content[name] = row[name] ?? (TASK_FIELDS[name] as TaskField).default ?? null;
  return content;
}
const OF_SCHEDULES = ['scheduleKey', 'scheduledFor'] as const;
const CONTENT = CREATED.filter((name) => name !== 'service' && name !== 'status') as (keyof typeof TASK_FIELDS)[];

export function countOwners(tasks: readonly { userId: string }[]): Map<string, number> {
  const owners = new Map<string, number>();
  for (const { userId } of tasks) owners.set(userId, (owners.get(userId) ?? 0) + 1);
  return owners;
}
