import { TASK_COLUMNS, TASK_FIELDS, type TaskField, writtenFields } from '../../contract/task.fields.js';
import { madeCode } from '../../database/made-code.js';
import { ownColumns } from '../own-columns.js';
import type { TaskValues } from '../stores/columns.js';
import type { NewRow } from '../stores/task.store.js';

/** The fields that a create may write. */
export const CREATED = writtenFields('create').map(([name]) => name);

/** A row with a place for each column. One that got its names one by one would be a dictionary, which is slow. */
export const blankRow: () => Record<string, unknown> =
  madeCode({}, `() => ({ ${TASK_COLUMNS.map((name) => `${name}: undefined`).join(', ')} })`) ?? (() => ({}));

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
