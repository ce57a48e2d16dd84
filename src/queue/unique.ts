import type { Task } from '../contract/task.entity.js';
import type { Given } from '../contract/given.js';
import type { Unique as UniqueOnWire } from '../protocol/unique.types.js';
import type { LifeCycle } from './life-cycle.js';

/** What makes a task the only one of its owner and service with a key. */
export type Unique = Pick<UniqueOnWire, 'key'> & Given<Omit<UniqueOnWire, 'key'>>;

/** What a row says of its unique key. */
export type UniqueRow = Pick<Task, 'uniqueKey' | 'uniqueRule'>;

/** The columns of a new task with a unique key. */
export const uniqueColumns = ({ key, until = 'ended' }: Unique): UniqueRow => ({
  uniqueKey: key,
  uniqueRule: `${until} ${key}`,
});

/** The key of a rule. */
export const keyIn = (rule: string): string => rule.slice(rule.indexOf(' ') + 1);

export const isFreeAtClaim = ({ uniqueRule }: UniqueRow): boolean => uniqueRule?.startsWith('claimed ') ?? false;

/**
 * Whether the task holds its key. The column says so; the status is asked, too, because plain SQL may have moved the
 * task, and left the column.
 */
export const holdsKey = (task: UniqueRow & { status: number }, lifeCycle: LifeCycle): boolean =>
  task.uniqueKey !== null && !lifeCycle.isEnded(task.status) && !(isFreeAtClaim(task) && lifeCycle.isHeld(task.status));
