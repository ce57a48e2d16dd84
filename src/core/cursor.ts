import type { Position } from '../store/list.store.js';
import { invalid } from './invalid.js';
import { isIdLike } from './rules.js';

/** Where a list goes on, as clients carry it: opaque to them. */
export const cursorOf = ({ created, taskId }: Position): string =>
  Buffer.from(JSON.stringify([created, taskId])).toString('base64url');

/** INVALID_PARAM for what is no cursor of ours. */
export function positionOf(cursor: string): Position {
  const [created, taskId] = parse(cursor);
  if ((created === null || isTime(created)) && isIdLike(taskId)) return { created, taskId };
  throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be what an answer gave as nextCursor' }]);
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? (parsed as unknown[]) : [];
  } catch {
    return [];
  }
}

/** As the databases write it, and really a time: they fail on the 31st of February. */
function isTime(text: unknown): text is string {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$/.test(text)) return false;
  const seconds = text.slice(0, 19).replace(' ', 'T');
  const time = new Date(`${seconds}Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === seconds;
}
