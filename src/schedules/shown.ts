import { timesOf } from './definition.js';
import type { Schedule } from './schedule.js';
import type { ScheduleRow } from './schedule.store.js';

/** How many times ahead a schedule is shown. */
const TIMES = 5;

/** A schedule as callers see it. */
export function shown({
  userId,
  key,
  definition,
  paused,
  nextFor,
  lastFor,
  lastTaskId,
  ...row
}: ScheduleRow): Schedule {
  const times = timesOf(definition, row.createdAt);
  const next: Date[] = [];
  for (let time = nextFor ?? undefined; time && next.length < TIMES && !paused; time = times.after(time))
    next.push(time);
  return {
    key,
    userId,
    ...definition,
    startAt: definition.startAt === null ? null : new Date(definition.startAt),
    endAt: definition.endAt === null ? null : new Date(definition.endAt),
    paused,
    state: paused ? 'paused' : nextFor || row.waitsFor ? 'active' : 'ended',
    next,
    last: lastFor && lastTaskId !== null ? { scheduledFor: lastFor, taskId: lastTaskId } : null,
    runs: row.runs,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
