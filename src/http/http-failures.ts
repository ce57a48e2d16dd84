import { HttpException, Logger } from '@nestjs/common';
import { TaskError, type TaskErrorBody, type TaskErrorEntry, type TaskErrorName } from '../contract/errors.js';
import type { HttpSettings } from './http.options.js';

/** The names for exceptions of a host's guards, pipes and throttlers on our routes, by HTTP status. */
const BY_STATUS: Record<number, TaskErrorName> = {
  400: 'INVALID_PARAM',
  401: 'INVALID_TOKEN',
  403: 'INVALID_ACCESS',
  404: 'NOT_FOUND',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
  503: 'UNAVAILABLE',
};

/** The answer to a failure: its entry in the error catalogue, and the body of the error. */
export interface Failure {
  entry: TaskErrorEntry;
  body: TaskErrorBody;
}

/** How the log names a failure that the database caused. */
const WORDS: Record<string, string> = {
  UNAVAILABLE: 'unavailable',
  TOO_LARGE: 'too large for the database',
  INVALID_PARAM: 'refused by the database',
};

/** Finds the answer to a thrown value in the error catalogue of the registration, and logs what operators must know. */
export class Failures {
  private readonly logger = new Logger('TaskModule');
  /** Errors that are already logged. One failure of the database may end many requests. */
  private readonly logged = new WeakSet<object>();

  constructor(private readonly options: HttpSettings) {}

  describe(exception: unknown): Failure {
    if (exception instanceof TaskError) {
      if (exception.cause !== undefined) this.logCause(exception);
      return this.entry(exception.errorName, exception.detail);
    }
    if (exception instanceof HttpException) {
      const httpCode = exception.getStatus();
      const name = BY_STATUS[httpCode];
      if (name) return this.entry(name, messageOf(exception));
      // A status without a name in the catalogue is answered as the host has thrown it.
      if (httpCode < 500)
        return {
          entry: { code: httpCode, msg: exception.message, httpCode },
          body: { code: httpCode, msg: exception.message },
        };
    }
    // The client sees neither SQL nor stacks.
    if (this.isNew(exception)) this.logger.error(exception instanceof Error ? withCauses(exception) : exception);
    return this.entry('INTERNAL');
  }

  private logCause(error: TaskError): void {
    if (this.isNew(error)) this.logger.warn(`${WORDS[error.errorName] ?? error.message}: ${causeOf(error)}`);
  }

  private entry(name: string, detail?: unknown): Failure {
    const known = this.options.error[name];
    if (!known) this.logger.error(`The option \`error\` has no entry ${name}; the request was answered with INTERNAL.`);
    const entry = known ?? this.options.error.INTERNAL;
    const body = { code: entry.code, msg: entry.msg, ...(detail === undefined ? {} : { detail }) };
    return { entry, body };
  }

  private isNew(exception: unknown): boolean {
    if (typeof exception !== 'object' || exception === null) return true;
    if (this.logged.has(exception)) return false;
    this.logged.add(exception);
    return true;
  }
}

/** The message of a host's exception. */
function messageOf(exception: HttpException): unknown {
  const response = exception.getResponse();
  const message: unknown = typeof response === 'string' ? response : (response as { message?: unknown }).message;
  return typeof message === 'string' || Array.isArray(message) ? message : undefined;
}

/** The stack of an error, and those of its causes. */
function withCauses(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${withCauses(error.cause)}` : '';
  return `${error.stack}${cause}`;
}

function causeOf(error: TaskError): string {
  return error.cause instanceof Error ? error.cause.message : String(error.cause ?? 'unknown');
}
