import { invalid } from '../validation/invalid.js';

/** Where a list of schedules is: owner and key. */
export type SchedulePlace = [userId: string, key: string];

export const cursorOf = (place: SchedulePlace): string => Buffer.from(JSON.stringify(place)).toString('base64url');

/** The place that a cursor says. INVALID_PARAM. */
export function placeOf(cursor: string): SchedulePlace {
  try {
    const [userId, key] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (typeof userId === 'string' && typeof key === 'string') return [userId, key];
  } catch {
    // Said below.
  }
  throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be the nextCursor of an earlier list' }]);
}
