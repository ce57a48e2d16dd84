/** HTTP statuses that mean: try again later. */
const LATER = [408, 425, 429, 502, 503, 504];

/**
 * A failed request: the server's answer (`code`, `httpStatus`, `detail`), or no answer (`httpStatus` 0, the reason as
 * `cause`).
 */
export class TaskApiError extends Error {
  /** The code of the error catalogue. 0 if the answer did not come from the queue. */
  readonly code: number;
  readonly httpStatus: number;
  /** Details from the server: offending fields, or the task as it is now. */
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
    // Without a detail the property is absent, so that it does not show in logs.
    if (answer.detail !== undefined) this.detail = answer.detail;
    if (answer.retryAfter !== undefined) this.retryAfter = answer.retryAfter;
  }

  /** Whether the same request may work later. */
  get retryable(): boolean {
    return this.httpStatus === 0 || LATER.includes(this.httpStatus);
  }
}

/** HTTP statuses that mean: the service is down. Not 504, which only says that there was no answer in time. */
const AWAY = [502, 503];

/**
 * Whether the queue itself is away: it says so, or nothing listens at its address. A timeout or a cut connection does
 * not prove that, because others may still reach it.
 */
export function isAway(error: unknown): boolean {
  if (error instanceof TaskApiError && AWAY.includes(error.httpStatus)) return true;
  // Node.js gives one error for several addresses, and TypeORM one for its driver's error.
  type Wrapper = { code?: unknown; cause?: unknown; driverError?: unknown; errors?: unknown[] };
  const inside = (thrown: unknown, depth: number): boolean => {
    if (typeof thrown !== 'object' || thrown === null || depth === 0) return false;
    const { code, cause, driverError, errors = [] } = thrown as Wrapper;
    return code === 'ECONNREFUSED' || [cause, driverError, ...errors].some((one) => inside(one, depth - 1));
  };
  return inside(error, 4);
}

/** `waitFor`, or `wait` of a batch, has waited for its whole timeout. `detail.task` or `detail.batch` is what it last saw. */
export class WaitTimeoutError extends TaskApiError {
  override name = 'WaitTimeoutError';

  override get retryable(): boolean {
    return false;
  }
}

/**
 * Whether the queue itself refuses the request, now and always. Other parties (a proxy without a route, a guard with a
 * failure, a page of HTML) know nothing of the task. Only "body too large" counts from any party.
 */
export const isRefusal = (error: unknown): error is TaskApiError =>
  error instanceof TaskApiError &&
  (error.httpStatus === 413 || (error.code !== 0 && [400, 415, 422].includes(error.httpStatus)));

/** The text of a thrown value of any kind. A value whose text cannot be read gets a fixed text. */
export function describe(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'something without a text was thrown';
  }
}

/** `instanceof` for any thrown value: a Proxy may throw when it is inspected. */
export function isA<T>(thrown: unknown, type: abstract new (...given: never[]) => T): thrown is T {
  try {
    return thrown instanceof type;
  } catch {
    return false;
  }
}

/** A thrown value as an Error: a promise may be rejected with anything, or with undefined. */
export function asError(thrown: unknown): Error {
  try {
    // Recognized by its message, because the error may come from another realm.
    if (typeof (thrown as Partial<Error> | null | undefined)?.message === 'string') return thrown as Error;
  } catch {
    // The value cannot be read.
  }
  return new Error(`${describe(thrown)} was thrown`, { cause: thrown });
}

/** The most bytes of a stack, and the most causes that are followed. */
const STACK = { bytes: 4096, causes: 8 } as const;

/** Where it was thrown, and why: the frames of an error and of its causes. Empty if there are none. */
export function stackOf(thrown: unknown): string {
  const parts: string[] = [];
  try {
    let error = thrown as Partial<Error> | null | undefined;
    for (let depth = 0; depth < STACK.causes && error; depth++) {
      const { stack } = error;
      if (depth > 0) parts.push(`caused by: ${describe(error)}`);
      if (typeof stack === 'string') parts.push(framesOf(stack));
      error = error.cause as Partial<Error> | null | undefined;
    }
  } catch {
    // The parts that could be read are enough.
  }
  const bytes = new TextEncoder().encode(parts.filter((part) => part !== '').join('\n'));
  // In stream mode a character that is cut in two is left out.
  return new TextDecoder().decode(bytes.subarray(0, STACK.bytes), { stream: true });
}

/** A stack without the message that V8 puts before it. */
function framesOf(stack: string): string {
  const first = stack.search(/^\s+at /m);
  return first < 0 && !/@.*:\d+/.test(stack) ? '' : stack.slice(Math.max(first, 0)).trimEnd();
}

/** What the queue says beside the failure, for people and programs: problems with their fields and rules, or a reason. */
export function problemsOf(detail: unknown): string {
  const { msg } = (detail ?? {}) as { msg?: unknown };
  if (typeof msg === 'string') return ` (${msg})`;
  if (!Array.isArray(detail) || detail.length === 0) return '';
  const problems = (detail as { field?: unknown; rule?: unknown; msg?: unknown }[]).map(
    (problem) => `${String(problem?.msg)} [${String(problem?.field)}: ${String(problem?.rule)}]`,
  );
  return ` (${problems.join('; ')})`;
}

/** Thrown by a handler: the task has failed for good, because another attempt would fail, too. */
export class UnrecoverableError extends Error {
  override name = 'UnrecoverableError';
}

/** Thrown by a handler: this attempt failed, and the next one starts after this many seconds. */
export class RetryLater extends Error {
  override name = 'RetryLater';
  /** Seconds for which the service is paused for all workers, because what they use must be left alone. */
  readonly pauseService: number | undefined;

  constructor(
    readonly seconds: number,
    message = `try again in ${seconds} s`,
    options: ErrorOptions & { pauseService?: number } = {},
  ) {
    super(message, options);
    this.pauseService = options.pauseService;
    if (!(seconds >= 0 && seconds < Infinity))
      throw new RangeError(`RetryLater takes seconds, 0 or more, not ${String(seconds)}`);
  }
}

/** Why a handler's signal is aborted. */
export type StopReason = 'cancelled' | 'lost' | 'shutdown';

const STOPPED: Record<StopReason, string> = {
  cancelled: 'the task was cancelled',
  lost: 'the lease is lost: another worker has the task, or it has ended, or it was deleted',
  shutdown: 'the worker is shutting down',
};

/** `signal.reason` of a handler that must stop. */
export class TaskStopped extends Error {
  override name = 'TaskStopped';

  constructor(readonly reason: StopReason) {
    super(STOPPED[reason]);
  }
}
