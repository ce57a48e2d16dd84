import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import type { KeyEntry } from '../stores/key.store.js';
import type { NewRow, TaskStore } from '../stores/task.store.js';
import type { Script } from '../../database/transaction.js';
import { answerBytes, jsonBytes, roughBytes } from '../answer-bytes.js';
import { type AnswerSpace, FULL, tooManyBytes } from '../answer-room.js';
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
  const places = repeated.flatMap((one) =>
    one.entry.taskIds.map((text, place) => ({ ...one, place, ...shownIn(text) })),
  );
  const placesOf = new Map(places.map(({ taskId }): [string, typeof places] => [taskId, []]));
  for (const place of places) placesOf.get(place.taskId)!.push(place);
  yield* tasks.each([...placesOf.keys()], (task) => {
    for (const { entry, space, place, marks } of placesOf.get(task.taskId)!) {
      const answer = answers.get(entry)!;
      if (answer instanceof TaskError) continue;
      const refusal = space.hold(place, answerBytes(task));
      if (refusal) answers.set(entry, refusal === FULL ? grown(entry) : refusal);
      else answer[place] = marks ? marked(task, marks) : task;
    }
    return true;
  });
  // Deleted tasks are left out.
  for (const [entry, answer] of answers) if (Array.isArray(answer)) answers.set(entry, answer.filter(Boolean));
  return answers;
}

/** What the answer to a create says of a task that holds its unique key. */
export type DuplicateMarks = Pick<Task, 'duplicate' | 'replaced'>;

/** The task for one answer: the same task may be in another one without the marks. */
export const marked = <T extends Task>(task: T, marks: DuplicateMarks): T =>
  Object.assign(Object.create(Object.getPrototypeOf(task) as object) as T, task, marks);

/** An id in the entry of a key. A sign before it says that the task was there before. */
export const entryIdOf = (taskId: string, marks: DuplicateMarks | undefined): string =>
  marks ? (marks.replaced ? '~' : '=') + taskId : taskId;

function shownIn(text: string): { taskId: string; marks?: DuplicateMarks } {
  const [sign] = text;
  if (sign !== '=' && sign !== '~') return { taskId: text };
  return { taskId: text.slice(1), marks: sign === '~' ? { duplicate: true, replaced: true } : { duplicate: true } };
}

/** Reports made the tasks longer than an answer may be. The client gets the ids, in case it lost the first answer. */
function grown({ taskIds }: KeyEntry): TaskError {
  const msg =
    `the tasks of this Idempotency-Key have grown beyond ${BOUNDS.answerBytes} bytes; ` +
    'list them by these ids in several requests';
  return new TaskError('TOO_LARGE', [
    { field: 'body', rule: 'answerBytes', msg, ids: taskIds.map((text) => shownIn(text).taskId) },
  ]);
}

/**
 * Why these tasks are not created: their answer is too large, or has no room. The host's own code holds them already.
 */
export function roomFor(rows: NewRow[], space: AnswerSpace): TaskError | undefined {
  if (!space.receiver) return undefined;
  for (const row of rows) {
    const refusal = space.hold(row.taskId, roughBytes(row) ?? jsonBytes(row) + OVERHEAD);
    if (refusal === FULL) return tooManyBytes();
    if (refusal) return refusal;
  }
  return undefined;
}
