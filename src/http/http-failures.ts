import { HttpException, Logger } from '@nestjs/common';
import { TaskError, type TaskErrorBody, type TaskErrorEntry, type TaskErrorName } from '../contract/errors.js';
import type { HttpSettings } from './http.options.js';

/** What a host's own guards, pipes and throttlers throw on our routes, by HTTP status. */
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

/** A failure as it is answered: its entry in the catalogue, and the body of the error. */
export interface Failure {
  entry: TaskErrorEntry;
  body: TaskErrorBody;
}

/** What the log says of a failure whose cause is the database. */
const WORDS: Record<string, string> = {
  UNAVAILABLE: 'unavailable',
  TOO_LARGE: 'too large for the database',
  INVALID_PARAM: 'refused by the database',
};

/** Says how whatever was thrown is answered, by the registration's catalogue, and logs what its operator must know. */
export class Failures {
  private readonly logger = new Logger('TaskModule');
  /** One failure of the database may end many requests: it is logged once. */
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
      // A status that the catalogue has no name for stays what the host made it.
      if (httpCode < 500)
        return {
          entry: { code: httpCode, msg: exception.message, httpCode },
          body: { code: httpCode, msg: exception.message },
        };
    }
    // Neither SQL nor stacks leave the server.
    if (this.isNew(exception)) this.logger.error(exception instanceof Error ? withCauses(exception) : exception);
    return this.entry('INTERNAL');
  }

  private logCause(error: TaskError): void {
    if (this.isNew(error)) this.logger.warn(`${WORDS[error.errorName] ?? error.message}: ${causeOf(error)}`);
  }

  private entry(name: string, detail?: unknown): Failure {
    const known = this.options.error[name];
    if (!known) this.logger.error(`The option \`error\` has no entry ${name}: answered as INTERNAL.`);
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

/** What a host's exception says beyond the standard words for its status. */
function messageOf(exception: HttpException): unknown {
  const response = exception.getResponse();
  const message: unknown = typeof response === 'string' ? response : (response as { message?: unknown }).message;
  return typeof message === 'string' || Array.isArray(message) ? message : undefined;
}

/** The stack, and what each cause says. */
function withCauses(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${withCauses(error.cause)}` : '';
  return `${error.stack}${cause}`;
}

function causeOf(error: TaskError): string {
  return error.cause instanceof Error ? error.cause.message : String(error.cause ?? 'unknown');
}
