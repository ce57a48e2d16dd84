import { HttpException } from '@nestjs/common';
import { ERROR_CODE } from '../protocol/error-codes.js';

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

/** Every error that the module answers. The first four are legacy. A host can replace all of them with `error`. */
export const TASK_ERRORS = {
  INVALID_ACCESS: { code: ERROR_CODE.INVALID_ACCESS, msg: 'invalid access', httpCode: 430 },
  INVALID_TOKEN: { code: ERROR_CODE.INVALID_TOKEN, msg: 'invalid token', httpCode: 430 },
  NOT_FOUND: { code: ERROR_CODE.NOT_FOUND, msg: 'not found', httpCode: 404 },
  TOO_MANY_TASK: { code: ERROR_CODE.TOO_MANY_TASK, msg: 'too many tasks', httpCode: 403 },
  INVALID_PARAM: { code: ERROR_CODE.INVALID_PARAM, msg: 'invalid parameter', httpCode: 400 },
  LEASE_LOST: { code: ERROR_CODE.LEASE_LOST, msg: 'the lease is lost', httpCode: 409 },
  INVALID_STATE: { code: ERROR_CODE.INVALID_STATE, msg: 'the state of the task does not allow this', httpCode: 409 },
  IDEMPOTENCY_CONFLICT: {
    code: ERROR_CODE.IDEMPOTENCY_CONFLICT,
    msg: 'the idempotency key was used with other content',
    httpCode: 422,
  },
  TOO_LARGE: { code: ERROR_CODE.TOO_LARGE, msg: 'too large', httpCode: 413 },
  TOO_MANY_REQUESTS: {
    code: ERROR_CODE.TOO_MANY_REQUESTS,
    msg: 'too many requests',
    httpCode: 429,
    headers: { 'Retry-After': '1' },
  },
  UNSUPPORTED_MEDIA_TYPE: { code: ERROR_CODE.UNSUPPORTED_MEDIA_TYPE, msg: 'unsupported media type', httpCode: 415 },
  UNAVAILABLE: {
    code: ERROR_CODE.UNAVAILABLE,
    msg: 'temporarily unavailable',
    httpCode: 503,
    headers: { 'Retry-After': '1' },
  },
  INTERNAL: { code: ERROR_CODE.INTERNAL, msg: 'internal error', httpCode: 500 },
} as const satisfies Record<string, TaskErrorEntry>;

export type TaskErrorName = keyof typeof TASK_ERRORS;

/** Name -> entry. A host's catalogue names every error of the module, and may add its own. */
export type TaskErrorCatalogue = Record<TaskErrorName, TaskErrorEntry> & Record<string, TaskErrorEntry>;

/** The body of an error. `detail` is only there if there is one. */
export interface TaskErrorBody {
  code: number;
  msg: string;
  detail?: unknown;
}

/** One broken rule for input. INVALID_PARAM and TOO_LARGE have a list of these as `detail`. */
export interface FieldProblem {
  /** Name of the parameter, or `body`. */
  field: string;
  /** The broken rule: a stable name for programs. */
  rule: string;
  /** What the field may contain, for people. */
  msg: string;
  /** With rule `answerBytes`: how many of the first tasks fit into one answer. */
  fits?: number;
  /** With rule `answerBytes`: the tasks that an Idempotency-Key stands for. */
  ids?: string[];
}

/**
 * An error by its name in the catalogue. On the module's own routes the registration's catalogue decides the answer. In
 * a host's own routes it is an HttpException with the default catalogue's HTTP status. A host throws its own entries in
 * the same way: `throw new TaskError('VIDEO_BANNED', { reason })`.
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

/** The problems of a catalogue, one sentence each. Empty if there are none. */
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
