import { CronExpressionParser, type CronExpression } from 'cron-parser';
import { IANAZone } from 'luxon';
import { objectRule, oneOf } from '../validation/choice.rules.js';
import { type Rule, type ValueRule, valueRule } from '../validation/rule.js';
import { booleanRule, BOUNDS, integer, timeRule } from '../validation/rules.js';
import { CATCH_UPS, OVERLAPS, SCHEDULE_STATES, type ScheduleSettings } from './schedule.js';

const YEAR = 31_536_000;
const DAY = 86_400;
/** Characters of an expression. */
const MOST = 200;
const NAMES = ['@hourly', '@daily', '@weekly', '@monthly', '@yearly', '@annually'];
const HELP = 'such as 30 2 * * 1-5 (minute, hour, day of month, month, day of week), or @daily';
const PART = String.raw`(\d+|\*|[a-z]{3})(-(\d+|[a-z]{3}))?(\/\d+)?`;
const FIELD = new RegExp(`^${PART}(,${PART})*$`, 'i');

/** The times of an expression after this one, by the clock of UTC. */
export const parseCron = (cron: string, after: Date): CronExpression =>
  CronExpressionParser.parse(cron, { tz: 'UTC', currentDate: after });

/** The field letters of cron that not every cron has are refused: they would mean something else after a change of library. */
const isCron: Rule = (value) => {
  const problem = (why: string) => ({ rule: 'cron', msg: `must be a cron expression, ${HELP}: ${why}` });
  if (typeof value !== 'string') return problem('it is no text');
  if (value.length > MOST) return problem(`it has more than ${MOST} characters`);
  const fields = value.trim().split(/\s+/);
  if (fields.length === 1 && NAMES.includes(fields[0]!)) return undefined;
  if (value.startsWith('@')) return problem(`the names are ${NAMES.join(', ')}`);
  if (fields.length !== 5) return problem(`it has ${value.trim() === '' ? 0 : fields.length} fields instead of 5`);
  const odd = fields.find((field) => !FIELD.test(field));
  if (odd !== undefined) return problem(`${odd.slice(0, 40)} is not understood`);
  try {
    parseCron(value, new Date(0)).next();
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return problem(message.includes('explicit day of month') ? 'none of its months has such a day' : message);
  }
};

const isZone: Rule = (value) =>
  typeof value === 'string' && IANAZone.isValidZone(value)
    ? undefined
    : { rule: 'timeZone', msg: 'must be an IANA time zone, such as Europe/London' };

/** The rule of each setting. */
export const SCHEDULE_RULES = {
  cron: valueRule(isCron, { type: 'string', maxLength: MOST }),
  every: integer(1, YEAR),
  timeZone: valueRule(isZone, { type: 'string', maxLength: 64 }),
  task: objectRule,
  overlap: oneOf(OVERLAPS),
  catchUp: oneOf(CATCH_UPS),
  catchUpWindow: integer(60, 30 * DAY),
  startAt: timeRule,
  endAt: timeRule,
  jitter: integer(0, DAY),
  paused: booleanRule,
} satisfies Record<keyof ScheduleSettings, ValueRule>;

export const scheduleStateRule = oneOf(SCHEDULE_STATES);
export const scheduleLimitRule = integer(1, 100);
/** Longer than other cursors: it holds an owner and a key. */
export const scheduleCursorRule = valueRule(
  (value) =>
    typeof value === 'string' && value.length <= BOUNDS.scheduleCursorLength
      ? undefined
      : { rule: 'cursor', msg: 'must be the nextCursor of an earlier list' },
  { type: 'string', maxLength: BOUNDS.scheduleCursorLength },
);
