import type { Task } from '../contract/task.entity.js';
import { TASK_COLUMNS } from '../contract/task.fields.js';

/** Values for the columns that a host's entity adds. */
export type OwnColumns<T extends Task> = Partial<Omit<T, keyof Task>>;

/** The values for a host's own columns. The queue's columns are dropped, because only the queue writes them. */
export function ownColumns(values: object): Record<string, unknown> {
  const own: Record<string, unknown> = {};
  for (const name of Object.keys(values)) if (!QUEUE_VALUES.has(name)) own[name] = (values as typeof own)[name];
  return own;
}
const QUEUE_VALUES: ReadonlySet<string> = new Set([...TASK_COLUMNS, 'unique']);
