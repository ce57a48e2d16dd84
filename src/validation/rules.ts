import { BOUNDS } from '../protocol/bounds.js';
import { figure, type Rule, type ValueRule, valueRule, type ValueSchema } from './rule.js';

export { BOUNDS, LEASE_SECONDS, MAX_ATTEMPTS } from '../protocol/bounds.js';

/* The rules for values that enter the queue, defined once for HTTP input and for callers of `TaskService`. */

/** The rule whose failure is TOO_LARGE instead of INVALID_PARAM. */
export const MAX_BYTES = 'maxBytes';

/** Text that not every database stores: PostgreSQL refuses NUL, and a lone surrogate has no UTF-8. */
const storable: Rule = (value) => {
  if (typeof value !== 'string') return { rule: 'string', msg: 'must be a string' };
  if (value.includes('\0')) return { rule: 'noNul', msg: 'must not contain NUL (U+0000)' };
  if (!value.isWellFormed()) return { rule: 'wellFormed', msg: 'must not contain lone surrogates' };
  return undefined;
};

const length =
  (max: number): Rule =>
  (value) =>
    // The UTF-16 length is an upper bound for code points, so most values need no exact count.
    (value as string).length > max && [...(value as string)].length > max
      ? { rule: 'maxLength', msg: `must be at most ${max} characters` }
      : undefined;

const notEmpty: Rule = (value) => (value === '' ? { rule: 'notEmpty', msg: 'must not be empty' } : undefined);

const bytes =
  (max: number): Rule =>
  (value) =>
    Buffer.byteLength(value as string) > max
      ? { rule: MAX_BYTES, msg: `must be at most ${max} bytes of UTF-8` }
      : undefined;

/** The first problem of several rules, in order. */
const all =
  (...rules: Rule[]): Rule =>
  (value) => {
    for (const rule of rules) {
      const problem = rule(value);
      if (problem) return problem;
    }
    return undefined;
  };

/** An integer. Without a bound on a side, the schema names none. */
export function integer(min = -Infinity, max = Infinity): ValueRule {
  const check: Rule = (value) => {
    if (!Number.isInteger(value)) return { rule: 'isInt', msg: 'must be an integer' };
    if ((value as number) < min) return { rule: 'min', msg: `must not be less than ${min}` };
    if ((value as number) > max) return { rule: 'max', msg: `must not be greater than ${max}` };
    return undefined;
  };
  const schema: ValueSchema = { type: 'integer' };
  if (Number.isFinite(min)) schema.minimum = min;
  if (Number.isFinite(max)) schema.maximum = max;
  return valueRule(check, schema);
}

/** A short text that is not empty. */
export const shortText = (max: number): ValueRule =>
  valueRule(
    all(storable, notEmpty, length(max)),
    { type: 'string', minLength: 1, maxLength: max },
    { bound: `At most ${figure(max)} characters.`, takesNumber: true },
  );

/** Any value: the use case treats a text that is no id like an unknown one. */
export const anyIdRule = valueRule(() => undefined, { type: 'string', maxLength: 36 });
export const anyRule: Rule = () => undefined;
export const booleanRule = valueRule(
  (value) => (typeof value === 'boolean' ? undefined : { rule: 'isBoolean', msg: 'must be true or false' }),
  { type: 'boolean' },
);
export const cursorRule = valueRule(
  (value) =>
    typeof value === 'string' && value.length <= BOUNDS.cursorLength
      ? undefined
      : { rule: 'cursor', msg: 'must be the nextCursor of an earlier list' },
  { type: 'string', maxLength: BOUNDS.cursorLength },
);
export const reportsRule = valueRule(
  (value) => {
    if (!Array.isArray(value)) return { rule: 'isArray', msg: 'must be a list of { taskId, … }' };
    if (value.length === 0) return { rule: 'arrayNotEmpty', msg: 'must hold at least one report' };
    if (value.length > BOUNDS.reports) return { rule: 'arrayMaxSize', msg: `must be at most ${BOUNDS.reports}` };
    return undefined;
  },
  { type: 'array', minItems: 1, maxItems: BOUNDS.reports },
);
export const reportRule: Rule = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : { rule: 'isObject', msg: 'must be an object: { taskId, … }' };
export const taskIdRule: Rule = (value) =>
  typeof value === 'string' ? undefined : { rule: 'string', msg: 'must be a string' };
export const pageRule = integer(1, BOUNDS.page);
export const pageSizeRule = integer(1, BOUNDS.pageSize);
export const callbackLimitRule = integer(1, BOUNDS.callbacks);
/** An id of a batch. One that is none names no tasks. */
export const batchIdRule = shortText(36);
/** A layer of a batch. */
export const layerRule = integer(0, BOUNDS.dependencies);
/** A list of strings. In forms and queries it is the JSON text of one. */
const idList = (check: Rule, bounds: ValueSchema): ValueRule =>
  valueRule(check, {
    oneOf: [
      { type: 'array', items: { type: 'string' }, ...bounds, maxItems: BOUNDS.ids },
      { type: 'string', description: 'JSON text of such a list.' },
    ],
  });
const isIdList: Rule = (value) => {
  if (!Array.isArray(value))
    return { rule: 'isArray', msg: 'must be a list of task ids, or the JSON text of one: ["…","…"]' };
  if (value.length > BOUNDS.ids) return { rule: 'arrayMaxSize', msg: `must be at most ${BOUNDS.ids} ids` };
  if (!value.every((id) => typeof id === 'string')) return { rule: 'isString', msg: 'must be a list of strings' };
  return undefined;
};
export const idsRule = idList(isIdList, {});
export const someIdsRule = idList(
  all(isIdList, (value) =>
    (value as unknown[]).length === 0 ? { rule: 'arrayNotEmpty', msg: 'must name at least one task' } : undefined,
  ),
  { minItems: 1 },
);
/** The same. In a URL the ids may also stand with commas in between. */
export const watchedIdsRule = valueRule(someIdsRule, someIdsRule.schema, { takesCommas: true });
export const statusRule = integer(BOUNDS.status.min, BOUNDS.status.max);
export const leaseRule = integer(BOUNDS.lease.min, BOUNDS.lease.max);
/** Seconds of a point of a series. */
export const stepRule = integer(60, 2 ** 31 - 1);
export const waitRule = integer(0, BOUNDS.wait);
export const claimLimitRule = integer(0, BOUNDS.claims);
export const pauseRule = integer(1, BOUNDS.pause);
export const delayRule = integer(0, BOUNDS.delay);
export const priorityRule = integer(BOUNDS.priority.min, BOUNDS.priority.max);
export const workerIdRule = shortText(BOUNDS.workerIdLength);
export const eventIdRule = valueRule(all(storable, length(BOUNDS.eventIdLength)), {
  type: 'string',
  maxLength: BOUNDS.eventIdLength,
});
export const tokenRule = valueRule(shortText(36), shortText(36).schema);
export const keyRule: Rule = (value) =>
  typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) && value.length <= BOUNDS.keyLength
    ? undefined
    : { rule: 'idempotencyKey', msg: `must be 1 to ${BOUNDS.keyLength} printable ASCII characters` };

const ISO_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)$/i;
/** The last time that every engine stores: PostgreSQL and MySQL have no year 10000. */
const LAST_TIME = Date.UTC(9999, 11, 31);

/** A point in time, from a Date or from ISO 8601 text with its zone. undefined if it is not one. */
export function timeOf(value: unknown): Date | undefined {
  const time = value instanceof Date ? new Date(value) : typeof value === 'string' ? parsedTime(value) : undefined;
  return time && time.getTime() >= 0 && time.getTime() < LAST_TIME ? time : undefined;
}

function parsedTime(text: string): Date | undefined {
  const [, year, month, day] = ISO_TIME.exec(text) ?? [];
  // JavaScript reads February 30 as March 2.
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  return new Date(text.replace(',', '.').toUpperCase());
}

/** Whether the calendar has this day, in a year from 100 to 9999: PostgreSQL fails on the year 0. */
export function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

export const timeRule = valueRule(
  (value) =>
    timeOf(value)
      ? undefined
      : { rule: 'isTime', msg: 'must be a time in ISO 8601 with its zone, such as 2026-12-24T18:00:00+01:00' },
  { type: 'string', format: 'date-time', maxLength: 35 },
  { bound: 'ISO 8601 with its zone, such as 2026-12-24T18:00:00+01:00.' },
);

/** Priorities that users may give. */
export interface PriorityRange {
  min: number;
  max: number;
}
/** By default users cannot overtake tasks with priority 0: negative priorities are for the host. */
export const USER_PRIORITY: Readonly<PriorityRange> = { min: 0, max: BOUNDS.priority.max };
export const userPriorityOf = (given: Partial<PriorityRange>): PriorityRange => ({
  ...USER_PRIORITY,
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
});
export const priorityWithin = ({ min, max }: PriorityRange): Rule => integer(min, max);

/** Rule for option `userPriority`. */
export const userPriorityRule: Rule = (value) => {
  const { min: lowest, max: highest } = BOUNDS.priority;
  const problem = { rule: 'userPriority', msg: `must be { min, max }: integers from ${lowest} to ${highest}` };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return problem;
  const names = Object.keys(value);
  const { min, max } = userPriorityOf(value);
  if (!names.every((name) => name in USER_PRIORITY) || priorityRule(min) || priorityRule(max)) return problem;
  return min > max ? { rule: 'userPriority', msg: `must have min (${min}) no greater than max (${max})` } : undefined;
};

/** Rule for option `maxActiveTasks`. */
export const quotaRule: Rule = (value) =>
  typeof value === 'function'
    ? undefined
    : integer(1, 2 ** 31 - 1)(value) && { rule: 'quota', msg: 'must be an integer from 1, or a function of the owner' };

/** Rule for option `retention`. */
export const retentionRule: Rule = (value) => {
  const problem = { rule: 'retention', msg: 'must be { finished, failed }: days from 0 to 36500, each optional' };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return problem;
  const fits = Object.entries(value).every(
    ([name, days]: [string, unknown]) =>
      ['finished', 'failed'].includes(name) &&
      (days === undefined || (typeof days === 'number' && days >= 0 && days <= 36_500)),
  );
  return fits ? undefined : problem;
};

export const textRule = valueRule(
  all(storable, bytes(BOUNDS.textBytes)),
  { type: 'string', maxLength: BOUNDS.textBytes },
  { bound: `At most ${figure(BOUNDS.textBytes)} bytes of UTF-8.`, takesNumber: true },
);
export const nameRule = shortText(BOUNDS.nameLength);
export const userIdRule = shortText(BOUNDS.userIdLength);
const scheduleKeyText = shortText(BOUNDS.scheduleKeyLength);
/** The key stands in URLs, where . and .. would name another path. */
export const scheduleKeyRule = valueRule(
  all(scheduleKeyText, (value) =>
    value === '.' || value === '..' ? { rule: 'key', msg: 'must not be . or .., which URLs cannot hold' } : undefined,
  ),
  scheduleKeyText.schema,
);
/** The beginning of an error to search for. */
export const errorBeginRule = shortText(BOUNDS.errorBeginLength);

/**
 * Whether a value can be a task's id. All ids are UUIDs, legacy ids too, so a text that is not short printable ASCII is
 * no id, and needs no query.
 */
export const isIdLike = (id: unknown): id is string => typeof id === 'string' && /^[\x21-\x7e]{1,36}$/.test(id);
