import { check, invalid } from '../validation/invalid.js';
import { nameRule } from '../validation/rules.js';
import type { Activity } from './activity.js';
import type { Minutes } from './rollup.store.js';
import { minuteOf } from './rollup.js';

/** The most points of a series. */
const POINTS = { default: 60, most: 1500 } as const;
/** Seconds that a series shows if no `from` is given. */
const SPAN = 3600;

export interface StatsOptions {
  /** Default: an hour before `to`. */
  from?: Date | undefined;
  /** Default: now. */
  to?: Date | undefined;
  /** Seconds of a point, a multiple of 60. Default: as many as give at most 60 points. */
  step?: number | undefined;
  /** Default: all services together. */
  service?: string | undefined;
}

/** What happened in a step. */
export interface StatsPoint extends Activity {
  /** When the step begins. It ends before the next one. */
  time: Date;
}

/** A series for a chart. */
export interface Stats {
  from: Date;
  to: Date;
  /** Seconds of a point. */
  step: number;
  /** One for each step, in order of time. */
  points: StatsPoint[];
}

/** Whole steps of minutes that hold the asked time. */
export interface Steps extends Minutes {
  /** Minutes of a step. */
  length: number;
}

/** INVALID_PARAM if the times or the step cannot be. */
export function stepsOf({ from, to, step, service }: StatsOptions, now: Date): Steps {
  if (service !== undefined) check('service', service, nameRule);
  const end = to ?? now;
  const begin = from ?? new Date(end.getTime() - SPAN * 1000);
  for (const [field, time] of Object.entries({ from: begin, to: end }))
    if (Number.isNaN(time.getTime())) throw invalid([{ field, rule: 'time', msg: `${field} must be a time` }]);
  if (begin >= end) throw invalid([{ field: 'from', rule: 'order', msg: 'from must be before to' }]);
  const seconds = (end.getTime() - begin.getTime()) / 1000;
  const length = step === undefined ? Math.ceil(seconds / 60 / POINTS.default) : step / 60;
  if (!Number.isInteger(length) || length < 1)
    throw invalid([{ field: 'step', rule: 'step', msg: 'step must be a multiple of 60, in seconds' }]);
  if (seconds / 60 / length > POINTS.most)
    throw invalid([
      {
        field: 'step',
        rule: 'points',
        msg: `from, to and step give more than ${POINTS.most} points; use a longer step`,
      },
    ]);
  const first = Math.floor(minuteOf(begin) / length) * length;
  const last = Math.ceil(end.getTime() / 60_000 / length) * length;
  return { from: first, to: last, length };
}
