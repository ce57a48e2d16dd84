import { Task } from '../contract/task.entity.js';
import { TASK_FIELDS, type TaskField } from '../contract/task.fields.js';

/**
 * Size of a value as JSON. 0 if JSON cannot hold the value (a BigInt of the host): sending it fails later, with its
 * reason.
 */
export function jsonBytes(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '');
  } catch {
    return 0;
  }
}

const NUMBERS_AND_TIMES = ['tiny', 'small', 'int', 'time', 'local time'];
/** Up to this many bytes an estimate is enough: writing a small task as JSON only to measure it costs too much. */
const ROUGH = 4096;
/** The most bytes that one UTF-16 unit takes in JSON: an escaped control character. */
const BYTES_PER_UNIT = 6;
/** Bytes for the names, numbers and times of a task and for the envelope around it. */
const SURROUNDINGS = 1024;

/**
 * Upper bound of the JSON size of an object of texts, numbers and times. undefined if the bound exceeds 4,096 bytes.
 */
export function roughBytes(value: object): number | undefined {
  let units = 0;
  for (const text of Object.values(value)) if (typeof text === 'string') units += text.length;
  return boundOf(units);
}

/** The same for a task as `Task.toResponse()` shows it. `Object.values()` of a whole task takes long. */
function roughTaskBytes(task: Task): number | undefined {
  let units = 0;
  for (const name of SHOWN_TEXTS) units += task[name]?.length ?? 0;
  return boundOf(units);
}

const SHOWN_TEXTS = Object.entries(TASK_FIELDS as Record<string, TaskField>)
  .filter(([, { kind, shown }]) => shown && !NUMBERS_AND_TIMES.includes(kind))
  .map(([name]) => name as 'input');

function boundOf(units: number): number | undefined {
  const most = units * BYTES_PER_UNIT + SURROUNDINGS;
  return most > ROUGH ? undefined : most;
}

/** The exact size of a task in an answer, for answers of up to 10,000 tasks. It measures what `toResponse()` shows. */
export const exactBytes = (task: Task): number => jsonBytes({ toJSON: () => task.toResponse() });

/** The same, at most 4 KiB too large: for answers of up to 1,000 tasks. Exact if the host overrides `toResponse()`. */
export const answerBytes = (task: Task): number =>
  (task.toResponse === Task.prototype.toResponse ? roughTaskBytes(task) : undefined) ?? exactBytes(task);

/** The same for a worker: its answer also has the token, and the callback's address twice. */
export const workerAnswerBytes = (task: Task): number => answerBytes(task) + 2 * jsonBytes(task.callbackUrl) + 256;
