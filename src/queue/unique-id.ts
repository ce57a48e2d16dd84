import { digest } from './queue.js';
import { keyIn, type Unique } from './unique.js';

/** A unique key that a new task asks for. */
export interface UniqueKey {
  /** Digest of owner, service and key. */
  id: string;
  isReplacing: boolean;
}

/** Id of a row -> the unique key that its task asks for. */
export function uniquesOf(rows: { taskId: string }[], given: readonly Asking[]): Map<string, UniqueKey> {
  const uniques = new Map<string, UniqueKey>();
  for (const [place, { unique, userId }] of given.entries()) {
    const { taskId, service } = rows[place] as { taskId: string; service: string };
    if (unique)
      uniques.set(taskId, { id: idOf(userId, service, unique.key), isReplacing: unique.onConflict === 'replace' });
  }
  return uniques;
}

interface Asking {
  userId: string;
  unique?: Unique | undefined;
}

const idOf = (userId: string, service: string, key: string): string => digest('unique', userId, service, key);

/** The key that a task with this rule holds, or held. */
export const keyOfRule = (userId: string, service: string, rule: string): string => idOf(userId, service, keyIn(rule));
