import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import type { Script } from '../database/transaction.js';
import type { Queue } from './queue.js';
import { holdsKey, keyIn, type UniqueRow } from './unique.js';
import { keyOfRule } from './unique-id.js';

/** An ended task that is to run again. */
type Ended = UniqueRow & { id: string; userId: string; service: string; status: number };

interface Circumstances {
  /** In a host's transaction, which may see an old state: what decides is read with a lock. */
  isForeign: boolean;
  /** Tasks that run again in this transaction, and hold their keys, but are not written yet. */
  others?: readonly string[];
}

/**
 * Takes the unique key of a task that runs again. Returns the reason if another task holds it. A task without a unique
 * key costs nothing.
 */
export function* takeAgain<T extends Task>(
  { keys, tasks, lifeCycle }: Queue<T>,
  { id, userId, service, status, uniqueRule }: Ended,
  { isForeign, others = [] }: Circumstances,
): Script<TaskError | undefined> {
  if (uniqueRule === null) return undefined;
  const key = keyOfRule(userId, service, uniqueRule);
  const taker = (yield* keys.take(new Map([[key, id]]))).get(key)!;
  if (taker === id) return undefined;
  const [other] = yield* isForeign ? tasks.lockAll([taker]) : tasks.states([taker]);
  if (!other || !(holdsKey(other, lifeCycle) || others.includes(taker))) {
    yield* keys.give(new Map([[key, id]]));
    return undefined;
  }
  const msg =
    `task ${taker} holds the unique key ${JSON.stringify(keyIn(uniqueRule))} of this one; ` +
    'run this one again once that one has ended, or cancel that one';
  return new TaskError('INVALID_STATE', { status, taskId: taker, msg });
}
