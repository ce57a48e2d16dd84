/** Codes of the queue's failures, where the host has not chosen others. */
export const ERROR_CODE = {
  INVALID_ACCESS: 14002,
  INVALID_TOKEN: 10001,
  NOT_FOUND: 14001,
  TOO_MANY_TASK: 14003,
  INVALID_PARAM: 14004,
  LEASE_LOST: 14005,
  INVALID_STATE: 14006,
  IDEMPOTENCY_CONFLICT: 14007,
  TOO_LARGE: 14008,
  TOO_MANY_REQUESTS: 14009,
  UNSUPPORTED_MEDIA_TYPE: 14010,
  UNAVAILABLE: 14011,
  INTERNAL: 14012,
} as const;

/** Name of a failure -> the host's code. */
export type ErrorCodes = Record<keyof typeof ERROR_CODE, number>;

/** HTTP statuses that say: later. */
const LATER = [408, 425, 429, 502, 503, 504];

/**
 * A request that did not work: the server's answer (`code`, `httpStatus`, `detail`), or no answer at all (`httpStatus`
 * 0, and the reason as `cause`).
 */
export class TaskApiError extends Error {
  /** The code of the error catalogue; 0 where the answer was not the queue's own. */
  readonly code: number;
  readonly httpStatus: number;
  /** What the server says besides: offending fields, the task as it is now. */
  readonly detail?: unknown;
  /** Seconds that the server asks to wait. */
  readonly retryAfter?: number;

  constructor(
    message: string,
    answer: { code?: number; httpStatus?: number; detail?: unknown; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, answer.cause === undefined ? {} : { cause: answer.cause });
    this.name = 'TaskApiError';
    this.code = answer.code ?? 0;
    this.httpStatus = answer.httpStatus ?? 0;
    // What is not there is not shown either.
    if (answer.detail !== undefined) this.detail = answer.detail;
    if (answer.retryAfter !== undefined) this.retryAfter = answer.retryAfter;
  }

  /** Whether the same request may work later. */
  get retryable(): boolean {
    return this.httpStatus === 0 || LATER.includes(this.httpStatus);
  }
}

/** `waitFor` has waited for as long as it was told: `detail.task` is the task as it was seen last. */
export class WaitTimeoutError extends TaskApiError {
  override name = 'WaitTimeoutError';

  override get retryable(): boolean {
    return false;
  }
}

/**
 * Whether the queue itself says that a request breaks a rule, and always will. What stands in between (a proxy without a
 * route, a guard's bad moment, a page of HTML) knows nothing of the task; that a body is too large is true whoever says it.
 */
export const isRefusal = (error: unknown): error is TaskApiError =>
  error instanceof TaskApiError &&
  (error.httpStatus === 413 || (error.code !== 0 && [400, 415, 422].includes(error.httpStatus)));

/** What was thrown, in words, whatever it was: a text that throws itself is none. */
export function describe(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'something without a text was thrown';
  }
}

/** What was thrown, as an Error: a promise may be rejected with anything, or with nothing. */
export function asError(thrown: unknown): Error {
  // By its message: an error may be another realm's.
  if (typeof (thrown as Partial<Error> | null | undefined)?.message === 'string') return thrown as Error;
  return new Error(`${describe(thrown)} was thrown`, { cause: thrown });
}

/** Thrown by a handler: the task has failed for good, another attempt would be no use. */
export class UnrecoverableError extends Error {
  override name = 'UnrecoverableError';
}

/** Thrown by a handler: this attempt failed, and the next one shall begin after so many seconds. */
export class RetryLater extends Error {
  override name = 'RetryLater';

  constructor(
    readonly seconds: number,
    message = `again in ${seconds} s`,
    options?: ErrorOptions,
  ) {
    super(message, options);
    if (!(seconds >= 0 && seconds < Infinity))
      throw new RangeError(`RetryLater takes seconds, 0 or more, not ${String(seconds)}`);
  }
}

/** Why a handler's signal is aborted. */
export type StopReason = 'cancelled' | 'lost' | 'shutdown';

const STOPPED: Record<StopReason, string> = {
  cancelled: 'the task was cancelled',
  lost: 'the lease is lost: the task is another worker’s, has ended, or is gone',
  shutdown: 'the worker shuts down',
};

/** `signal.reason` of a handler that shall stop. */
export class TaskStopped extends Error {
  override name = 'TaskStopped';

  constructor(readonly reason: StopReason) {
    super(STOPPED[reason]);
  }
}
