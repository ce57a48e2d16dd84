import { LEASE_SECONDS, MAX_ATTEMPTS } from './policy.js';

/**
 * The rules for values that enter the queue, each in this one place: HTTP input and callers of `TaskService` are held
 * to the same. A rule answers what is wrong, or undefined.
 */
export interface RuleProblem {
  /** Stable name of the broken rule. */
  rule: string;
  /** What the value may be. */
  msg: string;
}
export type Rule = (value: unknown) => RuleProblem | undefined;

export const LIMITS = {
  /** Bytes of UTF-8 in `input`, `args`, `temp`, `output`: what a TEXT column of MySQL holds. */
  textBytes: 65_535,
  /** Characters (code points) in `service` and `group`. */
  nameLength: 64,
  /** Characters (code points) in an owner. */
  userIdLength: 255,
  /** Tasks on one page of a list. */
  pageSize: 1000,
  /** Bytes of texts in one list: an answer is built in memory. */
  listBytes: 32 * 1024 * 1024,
  /** Ids in one `ids` parameter. */
  ids: 1000,
  /** Characters in a cursor. */
  cursorLength: 200,
  /** Largest page number: keeps OFFSET far inside 64 bits. */
  page: 2 ** 31 - 1,
  /** Tasks in one create. */
  creates: 1000,
  /** Tasks in one claim. */
  claims: 100,
  /** Reports in one request. */
  reports: 100,
  /** Seconds that a claim may wait for a task. */
  wait: 30,
  /** Seconds that a retry or a give-back may be put off: a year. */
  delay: 31_536_000,
  /** Characters (code points) in a worker's id. */
  workerIdLength: 64,
  /** Characters in an idempotency key. */
  keyLength: 255,
  /** Priorities, from the first to be claimed to the last: what a smallint holds. */
  priority: { min: -32_768, max: 32_767 },
  /** What an int holds. */
  status: { min: -(2 ** 31), max: 2 ** 31 - 1 },
  lease: LEASE_SECONDS,
  maxAttempts: MAX_ATTEMPTS,
} as const;

/** The rule whose breach is TOO_LARGE, not INVALID_PARAM. */
export const MAX_BYTES = 'maxBytes';

/** What no database keeps alike: NUL is refused by PostgreSQL, a lone surrogate has no UTF-8. */
const storable: Rule = (value) => {
  if (typeof value !== 'string') return { rule: 'string', msg: 'must be a string' };
  if (value.includes('\0')) return { rule: 'noNul', msg: 'must not contain NUL (U+0000)' };
  if (!value.isWellFormed()) return { rule: 'wellFormed', msg: 'must not contain lone surrogates' };
  return undefined;
};

const length =
  (max: number): Rule =>
  (value) =>
    // UTF-16 length bounds code points from above: most values never need the exact count.
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

/** The first problem of several rules, tried in order. */
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
  typeof value === 'string' && value.length <= LIMITS.cursorLength
    ? undefined
    : { rule: 'cursor', msg: 'must be what a list answered as nextCursor' };
export const reportsRule: Rule = (value) => {
  if (!Array.isArray(value)) return { rule: 'isArray', msg: 'must be a list of { taskId, … }' };
  if (value.length === 0) return { rule: 'arrayNotEmpty', msg: 'must hold at least one report' };
  if (value.length > LIMITS.reports) return { rule: 'arrayMaxSize', msg: `must be at most ${LIMITS.reports}` };
  return undefined;
};
export const progressRule = integer(0, Number.MAX_SAFE_INTEGER);
export const pageRule = integer(1, LIMITS.page);
export const pageSizeRule = integer(1, LIMITS.pageSize);
export const idsRule: Rule = (value) => {
  if (!Array.isArray(value))
    return { rule: 'isArray', msg: 'must be a list of task ids, or the JSON text of one: ["…","…"]' };
  if (value.length > LIMITS.ids) return { rule: 'arrayMaxSize', msg: `must be at most ${LIMITS.ids} ids` };
  if (!value.every((id) => typeof id === 'string')) return { rule: 'isString', msg: 'must be a list of strings' };
  return undefined;
};
export const someIdsRule = all(idsRule, (value) =>
  (value as unknown[]).length === 0 ? { rule: 'arrayNotEmpty', msg: 'must name at least one task' } : undefined,
);
export const statusRule = integer(LIMITS.status.min, LIMITS.status.max);
export const leaseRule = integer(LIMITS.lease.min, LIMITS.lease.max);
export const waitRule = integer(0, LIMITS.wait);
export const claimLimitRule = integer(0, LIMITS.claims);
export const delayRule = integer(0, LIMITS.delay);
export const priorityRule = integer(LIMITS.priority.min, LIMITS.priority.max);
export const maxAttemptsRule = integer(LIMITS.maxAttempts.min, LIMITS.maxAttempts.max);
export const workerIdRule = all(storable, notEmpty, length(LIMITS.workerIdLength));
export const tokenRule = all(storable, notEmpty, length(36));
export const keyRule: Rule = (value) =>
  typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) && value.length <= LIMITS.keyLength
    ? undefined
    : { rule: 'idempotencyKey', msg: `must be 1 to ${LIMITS.keyLength} printable ASCII characters` };

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/i;
/** What every engine stores: PostgreSQL and MySQL know no year 10000. */
const LAST_TIME = Date.UTC(9999, 11, 31);

/** A point in time, from a Date or from ISO 8601 text with its zone; undefined for what is none. */
export function timeOf(value: unknown): Date | undefined {
  if (!(value instanceof Date) && !(typeof value === 'string' && ISO_TIME.test(value))) return undefined;
  const time = new Date(typeof value === 'string' ? value.replace(',', '.').toUpperCase() : value);
  return time.getTime() >= 0 && time.getTime() < LAST_TIME ? time : undefined;
}
export const timeRule: Rule = (value) =>
  timeOf(value)
    ? undefined
    : { rule: 'isTime', msg: 'must be a time in ISO 8601 with its zone, such as 2026-12-24T18:00:00+01:00' };

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

export const textRule = all(storable, bytes(LIMITS.textBytes));
export const nameRule = all(storable, notEmpty, length(LIMITS.nameLength));
export const userIdRule = all(storable, notEmpty, length(LIMITS.userIdLength));

/**
 * Whether a string can be a task's id at all. Ids are UUIDs (the original's too), so what isn't short printable ASCII
 * is nobody's id, and needn't trouble the database.
 */
export const isIdLike = (id: unknown): id is string => typeof id === 'string' && /^[\x21-\x7e]{1,36}$/.test(id);
