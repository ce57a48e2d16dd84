import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import type { KeyEntry } from '../stores/key.store.js';
import type { NewRow, TaskStore } from '../stores/task.store.js';
import type { Script } from '../../database/transaction.js';
import { answerBytes, jsonBytes, roughBytes } from '../answer-bytes.js';
import { type AnswerSpace, FULL } from '../answer-room.js';
import { BOUNDS } from '../../validation/rules.js';

/** Bytes that a new task takes in an answer besides its values. */
const OVERHEAD = 512;

/** A create whose key already stands for tasks. */
export interface Repeated {
  entry: KeyEntry;
  space: AnswerSpace;
}

/** The answer to each of these creates: its first tasks as they are now, or why they cannot be shown. */
export function* answerRepeated<T extends Task>(
  tasks: TaskStore<T>,
  repeated: Repeated[],
): Script<Map<KeyEntry, T[] | TaskError>> {
  const answers = new Map<KeyEntry, T[] | TaskError>(repeated.map(({ entry }) => [entry, []]));
  const owner = new Map(repeated.flatMap((one) => one.entry.taskIds.map((id) => [id, one])));
  for (const { space } of repeated) space.clear();
  yield* tasks.each([...owner.keys()], (task) => {
    const { entry, space } = owner.get(task.taskId)!;
    const answer = answers.get(entry)!;
    if (answer instanceof TaskError) return true;
    const refusal = space.hold(task.taskId, answerBytes(task));
    if (refusal) answers.set(entry, refusal === FULL ? grown(entry) : refusal);
    else answer.push(task);
    return true;
  });
  return answers;
}

/** Reports made the tasks longer than an answer may be. The client gets the ids, in case it lost the first answer. */
function grown({ taskIds }: KeyEntry): TaskError {
  const msg =
    `the tasks of this Idempotency-Key have grown beyond ${BOUNDS.answerBytes} bytes; ` +
    'list them by these ids in several requests';
  return new TaskError('TOO_LARGE', [{ field: 'body', rule: 'answerBytes', msg, ids: taskIds }]);
}

/**
 * Why these tasks are not created: their answer is too large, or has no room. The host's own code holds them already.
 */
export function roomFor({ rows, space }: { rows: NewRow[]; space: AnswerSpace }): TaskError | undefined {
  if (!space.receiver) return undefined;
  space.clear();
  for (const row of rows) {
    const refusal = space.hold(row.taskId, roughBytes(row) ?? jsonBytes(row) + OVERHEAD);
    const msg = `the answer would have more than ${BOUNDS.answerBytes} bytes; send fewer tasks at once`;
    if (refusal === FULL) return new TaskError('TOO_LARGE', [{ field: 'body', rule: 'answerBytes', msg }]);
    if (refusal) return refusal;
  }
  return undefined;
}
