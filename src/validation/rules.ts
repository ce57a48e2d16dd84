/** The length of a lease in seconds: 1 second to 1 day. */
export const LEASE_SECONDS = { min: 1, max: 86_400 } as const;
export const MAX_ATTEMPTS = { min: 1, max: 1000 } as const;

/**
 * The rules for values that enter the queue, defined once for HTTP input and for callers of `TaskService`. A rule
 * returns what is wrong, or undefined.
 */
export interface RuleProblem {
  /** Stable name of the broken rule. */
  rule: string;
  /** Which values are allowed. */
  msg: string;
}
export type Rule = (value: unknown) => RuleProblem | undefined;

export const BOUNDS = {
  /** Bytes of UTF-8 in `input`, `args`, `temp` and `output`: the size of a TEXT column of MySQL. */
  textBytes: 65_535,
  /** Characters (code points) in `service` and `group`. */
  nameLength: 64,
  /** Characters (code points) in an owner. */
  userIdLength: 255,
  /** Tasks on one page of a list. Legacy clients ask for thousands. */
  pageSize: 10_000,
  /** Callbacks in one list of `TaskService.callbacks`. */
  callbacks: 1000,
  /** Bytes of one answer as JSON, because it is built in memory. */
  answerBytes: 8 * 1024 * 1024,
  /** Ids in one `ids` parameter. */
  ids: 1000,
  /** Characters in a cursor. */
  cursorLength: 200,
  /** Largest page number. It keeps OFFSET far inside 64 bits. */
  page: 2 ** 31 - 1,
  /** Tasks in one create. */
  creates: 1000,
  /** Tasks in one claim. */
  claims: 100,
  /** Reports in one request. */
  reports: 100,
  /** Seconds that a claim may wait for a task. */
  wait: 30,
  /** Seconds by which a retry or a give-back may be delayed: one year. */
  delay: 31_536_000,
  /** Characters (code points) in a worker's id. */
  workerIdLength: 64,
  /** Characters in an idempotency key. */
  keyLength: 255,
  /** Priorities, from first to last: the range of a smallint. */
  priority: { min: -32_768, max: 32_767 },
  /** The range of an int. */
  status: { min: -(2 ** 31), max: 2 ** 31 - 1 },
  lease: LEASE_SECONDS,
  maxAttempts: MAX_ATTEMPTS,
} as const;

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

const integer =
  (min: number, max: number): Rule =>
  (value) => {
    if (!Number.isInteger(value)) return { rule: 'isInt', msg: 'must be an integer' };
    if ((value as number) < min) return { rule: 'min', msg: `must not be less than ${min}` };
    if ((value as number) > max) return { rule: 'max', msg: `must not be greater than ${max}` };
    return undefined;
  };

export const anyRule: Rule = () => undefined;
export const wholeRule: Rule = (value) =>
  Number.isInteger(value) ? undefined : { rule: 'isInt', msg: 'must be an integer' };
export const booleanRule: Rule = (value) =>
  typeof value === 'boolean' ? undefined : { rule: 'isBoolean', msg: 'must be true or false' };
export const cursorRule: Rule = (value) =>
  typeof value === 'string' && value.length <= BOUNDS.cursorLength
    ? undefined
    : { rule: 'cursor', msg: 'must be the nextCursor of an earlier list' };
export const reportsRule: Rule = (value) => {
  if (!Array.isArray(value)) return { rule: 'isArray', msg: 'must be a list of { taskId, … }' };
  if (value.length === 0) return { rule: 'arrayNotEmpty', msg: 'must hold at least one report' };
  if (value.length > BOUNDS.reports) return { rule: 'arrayMaxSize', msg: `must be at most ${BOUNDS.reports}` };
  return undefined;
};
export const reportRule: Rule = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : { rule: 'isObject', msg: 'must be an object: { taskId, … }' };
export const taskIdRule: Rule = (value) =>
  typeof value === 'string' ? undefined : { rule: 'string', msg: 'must be a string' };
export const progressRule = integer(0, Number.MAX_SAFE_INTEGER);
export const pageRule = integer(1, BOUNDS.page);
export const pageSizeRule = integer(1, BOUNDS.pageSize);
export const callbackLimitRule = integer(1, BOUNDS.callbacks);
export const idsRule: Rule = (value) => {
  if (!Array.isArray(value))
    return { rule: 'isArray', msg: 'must be a list of task ids, or the JSON text of one: ["…","…"]' };
  if (value.length > BOUNDS.ids) return { rule: 'arrayMaxSize', msg: `must be at most ${BOUNDS.ids} ids` };
  if (!value.every((id) => typeof id === 'string')) return { rule: 'isString', msg: 'must be a list of strings' };
  return undefined;
};
export const someIdsRule = all(idsRule, (value) =>
  (value as unknown[]).length === 0 ? { rule: 'arrayNotEmpty', msg: 'must name at least one task' } : undefined,
);
export const statusRule = integer(BOUNDS.status.min, BOUNDS.status.max);
export const leaseRule = integer(BOUNDS.lease.min, BOUNDS.lease.max);
export const waitRule = integer(0, BOUNDS.wait);
export const claimLimitRule = integer(0, BOUNDS.claims);
export const delayRule = integer(0, BOUNDS.delay);
export const priorityRule = integer(BOUNDS.priority.min, BOUNDS.priority.max);
export const maxAttemptsRule = integer(BOUNDS.maxAttempts.min, BOUNDS.maxAttempts.max);
export const workerIdRule = all(storable, notEmpty, length(BOUNDS.workerIdLength));
export const tokenRule = all(storable, notEmpty, length(36));
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

export const timeRule: Rule = (value) =>
  timeOf(value)
    ? undefined
    : { rule: 'isTime', msg: 'must be a time in ISO 8601 with its zone, such as 2026-12-24T18:00:00+01:00' };

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

export const textRule = all(storable, bytes(BOUNDS.textBytes));
export const nameRule = all(storable, notEmpty, length(BOUNDS.nameLength));
export const userIdRule = all(storable, notEmpty, length(BOUNDS.userIdLength));

/**
 * Whether a value can be a task's id. All ids are UUIDs, legacy ids too, so a text that is not short printable ASCII is
 * no id, and needs no query.
 */
export const isIdLike = (id: unknown): id is string => typeof id === 'string' && /^[\x21-\x7e]{1,36}$/.test(id);
