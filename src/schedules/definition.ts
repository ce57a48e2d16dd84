import type { FieldProblem } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { check, invalid } from '../validation/invalid.js';
import { checkNames } from '../validation/known-names.js';
import { timeOf } from '../validation/rules.js';
import { type Cadence, CronCadence, everySeconds } from './cadence.js';
import type { Definition, ScheduleSettings } from './schedule.js';
import { parseCron, SCHEDULE_RULES } from './schedule.rules.js';

/** The times whose distances are compared with the shortest interval that is allowed. */
const COMPARED = 50;

/** What bounds the schedules of a caller. */
export interface ScheduleBounds {
  /** The least seconds between two times. */
  minInterval: number;
}

/** The settings with every default. INVALID_PARAM. The task is checked where tasks are created. */
export function definitionOf<T extends Task>(given: ScheduleSettings<T>, { minInterval }: ScheduleBounds): Definition {
  const { cron, every, timeZone, task, overlap, catchUp, catchUpWindow, startAt, endAt, jitter } = given;
  checkNames(given, Object.keys(SCHEDULE_RULES), SETTING);
  if ((cron === undefined) === (every === undefined)) throw invalid([EITHER]);
  for (const [name, rule] of Object.entries(SCHEDULE_RULES)) {
    const value = given[name as keyof ScheduleSettings<T>];
    if (value !== undefined || name === 'task') check(name, value, rule);
  }
  if (timeZone !== undefined && cron === undefined) throw invalid([NEEDS_CRON]);
  const definition: Definition = {
    cron: cron?.trim().replaceAll(/\s+/g, ' ') ?? null,
    every: every ?? null,
    timeZone: timeZone ?? 'UTC',
    task: { ...task },
    overlap: overlap ?? 'skip',
    catchUp: catchUp ?? 'one',
    catchUpWindow: catchUpWindow ?? 3600,
    startAt: timeOf(startAt)?.toISOString() ?? null,
    endAt: timeOf(endAt)?.toISOString() ?? null,
    jitter: jitter ?? 0,
  };
  if (definition.startAt && definition.endAt && definition.startAt > definition.endAt) throw invalid([ENDS_BEFORE]);
  const interval = shortestInterval(definition);
  if (interval < minInterval) throw invalid([tooOften(definition, minInterval)]);
  if (definition.jitter > interval && definition.catchUp !== 'all') throw invalid([tooLate(interval)]);
  return definition;
}

/** The times of a definition. `madeAt` is when its schedule was made. */
export function timesOf({ cron, every, timeZone, startAt, endAt }: Definition, madeAt: Date): Cadence {
  const start = startAt === null ? undefined : new Date(startAt);
  const end = endAt === null ? Infinity : Date.parse(endAt);
  const cadence =
    cron === null
      ? everySeconds(every!, start ?? madeAt)
      : new CronCadence(cron, timeZone, (after) => parseCron(cron, after));
  return {
    after(time) {
      // A time that is exactly `startAt` counts.
      const from = start && time < start ? new Date(start.getTime() - 1) : time;
      const next = cadence.after(from);
      return next && next.getTime() <= end ? next : undefined;
    },
  };
}

/** Whether both are due at the same times. */
export const isSameCadence = (a: Definition, b: Definition): boolean =>
  a.cron === b.cron &&
  a.every === b.every &&
  a.timeZone === b.timeZone &&
  a.startAt === b.startAt &&
  a.endAt === b.endAt;

/** Seconds. Clocks that change shorten no interval that counts, so the expression is read by the clock of UTC. */
function shortestInterval({ cron, every }: Definition): number {
  if (cron === null) return every!;
  const times = parseCron(cron, new Date(0));
  let shortest = Infinity;
  let last = times.next().getTime();
  for (let n = 0; n < COMPARED && shortest > 60; n++) {
    const next = times.next().getTime();
    shortest = Math.min(shortest, (next - last) / 1000);
    last = next;
  }
  return shortest;
}

const SETTING = { one: 'setting of a schedule', many: 'settings' };
const EITHER: FieldProblem = { field: 'cron', rule: 'either', msg: 'a schedule needs either cron or every' };
const NEEDS_CRON: FieldProblem = { field: 'timeZone', rule: 'cron', msg: 'timeZone needs cron; every counts seconds' };
const ENDS_BEFORE: FieldProblem = { field: 'endAt', rule: 'order', msg: 'endAt must not be before startAt' };
const tooLate = (interval: number): FieldProblem => ({
  field: 'jitter',
  rule: 'interval',
  msg:
    `jitter must be at most ${interval} seconds, the shortest time between two times, because a time that is later than ` +
    'the next one is left out; or set catchUp to all',
});
const tooOften = ({ cron }: Definition, least: number): FieldProblem => ({
  field: cron === null ? 'every' : 'cron',
  rule: 'minInterval',
  msg: `${cron === null ? 'every' : 'cron'} must leave at least ${least} seconds between two times`,
});
