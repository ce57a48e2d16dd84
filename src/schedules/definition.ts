import { CronExpressionParser } from 'cron-parser';
import { IANAZone } from 'luxon';
import type { FieldProblem } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { oneOf } from '../validation/choice.rules.js';
import { check, invalid } from '../validation/invalid.js';
import type { Rule } from '../validation/rule.js';
import { booleanRule, integer, timeOf, timeRule } from '../validation/rules.js';
import { type Cadence, CronCadence, everySeconds } from './cadence.js';
import { CATCH_UPS, type Definition, OVERLAPS, type ScheduleSettings } from './schedule.js';

const YEAR = 31_536_000;
/** The times whose distances are compared with the shortest interval that is allowed. */
const COMPARED = 50;
const NAMES = ['@hourly', '@daily', '@weekly', '@monthly', '@yearly', '@annually'];
const HELP = 'such as 30 2 * * 1-5 (minute, hour, day of month, month, day of week), or @daily';

/** The field letters of cron that not every cron has are refused: they would mean something else after a change of library. */
const isCron: Rule = (value) => {
  const problem = (why: string) => ({ rule: 'cron', msg: `must be a cron expression, ${HELP}: ${why}` });
  if (typeof value !== 'string') return problem('it is no text');
  const fields = value.trim().split(/\s+/);
  if (fields.length === 1 && NAMES.includes(fields[0]!)) return undefined;
  if (value.startsWith('@')) return problem(`the names are ${NAMES.join(', ')}`);
  if (fields.length !== 5) return problem(`it has ${value.trim() === '' ? 0 : fields.length} fields instead of 5`);
  const odd = fields.find(
    (field) =>
      !/^(\d+|\*|[a-z]{3})(-(\d+|[a-z]{3}))?(\/\d+)?(,(\d+|\*|[a-z]{3})(-(\d+|[a-z]{3}))?(\/\d+)?)*$/i.test(field),
  );
  if (odd !== undefined) return problem(`${odd} is not understood`);
  try {
    parse(value, new Date(0)).next();
    return undefined;
  } catch (error) {
    return problem((error as Error).message);
  }
};

const isZone: Rule = (value) =>
  typeof value === 'string' && IANAZone.isValidZone(value)
    ? undefined
    : { rule: 'timeZone', msg: 'must be an IANA time zone, such as Europe/London' };

const parse = (cron: string, after: Date) => CronExpressionParser.parse(cron, { tz: 'UTC', currentDate: after });

/** What bounds the schedules of a caller. */
export interface ScheduleBounds {
  /** The least seconds between two times. */
  minInterval: number;
}

/** The settings with every default. INVALID_PARAM. The task is checked where tasks are created. */
export function definitionOf<T extends Task>(given: ScheduleSettings<T>, { minInterval }: ScheduleBounds): Definition {
  const { cron, every, timeZone, task, overlap, catchUp, catchUpWindow, startAt, endAt, jitter, paused } = given;
  if ((cron === undefined) === (every === undefined)) throw invalid([EITHER]);
  if (cron !== undefined) check('cron', cron, isCron);
  if (every !== undefined) check('every', every, integer(1, YEAR));
  if (timeZone !== undefined) check('timeZone', timeZone, isZone);
  if (timeZone !== undefined && cron === undefined) throw invalid([NEEDS_CRON]);
  if (overlap !== undefined) check('overlap', overlap, oneOf(OVERLAPS));
  if (catchUp !== undefined) check('catchUp', catchUp, oneOf(CATCH_UPS));
  if (catchUpWindow !== undefined) check('catchUpWindow', catchUpWindow, integer(60, 30 * 86_400));
  if (startAt !== undefined) check('startAt', startAt, timeRule);
  if (endAt !== undefined) check('endAt', endAt, timeRule);
  if (jitter !== undefined) check('jitter', jitter, integer(0, 86_400));
  if (paused !== undefined) check('paused', paused, booleanRule);
  const definition: Definition = {
    cron: cron?.trim().replaceAll(/\s+/g, ' ') ?? null,
    every: every ?? null,
    timeZone: timeZone ?? 'UTC',
    task: { ...(task as object) },
    overlap: overlap ?? 'skip',
    catchUp: catchUp ?? 'one',
    catchUpWindow: catchUpWindow ?? 3600,
    startAt: timeOf(startAt)?.toISOString() ?? null,
    endAt: timeOf(endAt)?.toISOString() ?? null,
    jitter: jitter ?? 0,
  };
  if (definition.startAt && definition.endAt && definition.startAt > definition.endAt) throw invalid([ENDS_BEFORE]);
  if (shortestInterval(definition) < minInterval) throw invalid([tooOften(definition, minInterval)]);
  return definition;
}

/** The times of a definition. `madeAt` is when its schedule was made. */
export function timesOf({ cron, every, timeZone, startAt, endAt }: Definition, madeAt: Date): Cadence {
  const start = startAt === null ? undefined : new Date(startAt);
  const end = endAt === null ? Infinity : Date.parse(endAt);
  const cadence =
    cron === null
      ? everySeconds(every!, start ?? madeAt)
      : new CronCadence(cron, timeZone, (after) => parse(cron, after));
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
  const times = parse(cron, new Date(0));
  let shortest = Infinity;
  let last = times.next().getTime();
  for (let n = 0; n < COMPARED && shortest > 60; n++) {
    const next = times.next().getTime();
    shortest = Math.min(shortest, (next - last) / 1000);
    last = next;
  }
  return shortest;
}

const EITHER: FieldProblem = { field: 'cron', rule: 'either', msg: 'a schedule needs either cron or every' };
const NEEDS_CRON: FieldProblem = { field: 'timeZone', rule: 'cron', msg: 'timeZone needs cron; every counts seconds' };
const ENDS_BEFORE: FieldProblem = { field: 'endAt', rule: 'order', msg: 'endAt must not be before startAt' };
const tooOften = ({ cron }: Definition, least: number): FieldProblem => ({
  field: cron === null ? 'every' : 'cron',
  rule: 'minInterval',
  msg: `${cron === null ? 'every' : 'cron'} must leave at least ${least} seconds between two times`,
});
