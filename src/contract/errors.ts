import { HttpException } from '@nestjs/common';

/** One entry of the error catalogue. */
export interface TaskErrorEntry {
  /** The machine-readable code in the error body. */
  code: number;
  /** The sentence in the error body. */
  msg: string;
  /** HTTP status of the answer. */
  httpCode: number;
  /** Headers of the answer. */
  headers?: Record<string, string>;
}

/** Every failure that the module answers with. The first four are the original's; all can be swapped by `error`. */
export const TASK_ERRORS = {
  INVALID_ACCESS: { code: 14002, msg: 'invalid access', httpCode: 430 },
  INVALID_TOKEN: { code: 10001, msg: 'invalid token', httpCode: 430 },
  NOT_FOUND: { code: 14001, msg: 'not found', httpCode: 404 },
  TOO_MANY_TASK: { code: 14003, msg: 'too many tasks', httpCode: 403 },
  INVALID_PARAM: { code: 14004, msg: 'invalid parameter', httpCode: 400 },
  LEASE_LOST: { code: 14005, msg: 'the lease is lost', httpCode: 409 },
  INVALID_STATE: { code: 14006, msg: 'the state of the task does not allow this', httpCode: 409 },
  IDEMPOTENCY_CONFLICT: { code: 14007, msg: 'the idempotency key was used with other content', httpCode: 422 },
  TOO_LARGE: { code: 14008, msg: 'too large', httpCode: 413 },
  TOO_MANY_REQUESTS: { code: 14009, msg: 'too many requests', httpCode: 429, headers: { 'Retry-After': '1' } },
  UNSUPPORTED_MEDIA_TYPE: { code: 14010, msg: 'unsupported media type', httpCode: 415 },
  UNAVAILABLE: { code: 14011, msg: 'temporarily unavailable', httpCode: 503, headers: { 'Retry-After': '1' } },
  INTERNAL: { code: 14012, msg: 'internal error', httpCode: 500 },
} as const satisfies Record<string, TaskErrorEntry>;

export type TaskErrorName = keyof typeof TASK_ERRORS;

/** Name -> entry. A host's catalogue names every failure of the module, and may add its own. */
export type TaskErrorCatalogue = Record<TaskErrorName, TaskErrorEntry> & Record<string, TaskErrorEntry>;

/** What a client reads of a failure. `detail` is there only where there is one. */
export interface TaskErrorBody {
  code: number;
  msg: string;
  detail?: unknown;
}

/** One offence against a rule for input: the list of these is the `detail` of INVALID_PARAM and TOO_LARGE. */
export interface FieldProblem {
  /** Name of the parameter, or `body`. */
  field: string;
  /** The rule that it breaks, a stable name for programs. */
  rule: string;
  /** What the field may hold, for people. */
  msg: string;
}

/**
 * A failure by its name in the catalogue. On the module's own routes the registration's catalogue says how it is
 * answered; thrown into a host's own routes it is an HttpException with the default catalogue's HTTP status.
 * A host throws entries of its own the same way: `throw new TaskError('VIDEO_BANNED', { reason })`.
 */
export class TaskError extends HttpException {
  constructor(
    readonly errorName: TaskErrorName | (string & {}),
    readonly detail?: unknown,
    options?: { cause?: unknown },
  ) {
    const entry: TaskErrorEntry | undefined = TASK_ERRORS[errorName as TaskErrorName];
    const message = entry?.msg ?? errorName;
    super({ statusCode: entry?.httpCode ?? 500, message, detail }, entry?.httpCode ?? 500, options);
    this.message = message;
  }
}

/** What is wrong with a catalogue, one sentence a problem; empty when it is sound. */
export function errorProblems(errors: Record<string, Partial<TaskErrorEntry> | undefined>): string[] {
  const problems = Object.keys(TASK_ERRORS)
    .filter((name) => errors[name] === undefined)
    .map((name) => `entry ${name} is missing`);
  for (const [name, entry] of Object.entries(errors)) {
    if (entry === undefined) continue;
    if (!Number.isInteger(entry.code)) problems.push(`${name}.code must be an integer`);
    if (typeof entry.msg !== 'string') problems.push(`${name}.msg must be a string`);
    const http = entry.httpCode;
    if (!Number.isInteger(http) || http! < 400 || http! > 599)
      problems.push(`${name}.httpCode must be an HTTP status from 400 to 599`);
  }
  return problems;
}
