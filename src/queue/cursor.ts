import type { Position } from './stores/list.store.js';
import { invalid } from '../validation/invalid.js';
import { isDay, isIdLike } from '../validation/rules.js';

/** The position in a list as clients carry it. Clients must not interpret it. */
export const cursorOf = ({ created, taskId }: Position): string =>
  Buffer.from(JSON.stringify([created, taskId])).toString('base64url');

/** INVALID_PARAM if the text is not one of our cursors. */
export function positionOf(cursor: string): Position {
  const [created, taskId] = parse(cursor);
  if ((created === null || isTime(created)) && isIdLike(taskId)) return { created, taskId };
  throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be the nextCursor of an earlier answer' }]);
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? (parsed as unknown[]) : [];
  } catch {
    return [];
  }
}

/** A time as the databases write it, and one that each of them accepts: they fail on February 31 and on the year 0. */
function isTime(text: unknown): text is string {
  const [, year, month, day] =
    /^(\d{4})-(\d\d)-(\d\d) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/.exec(String(text)) ?? [];
  return typeof text === 'string' && isDay(Number(year), Number(month), Number(day));
}
