import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Injectable, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { TaskError, type TaskErrorBody, type TaskErrorEntry, type TaskErrorName } from '../contract/errors.js';
import { InjectTaskOptions } from '../contract/registration.js';
import type { TaskResponse } from '../contract/response.js';
import type { ResolvedTaskOptions } from '../task.options.js';

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

/** Answers every failure on the module's own routes by the registration's catalogue, in its envelope. */
@Catch()
@Injectable()
export class TaskErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('TaskModule');
  private readonly response: TaskResponse;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @InjectTaskOptions() private readonly options: ResolvedTaskOptions,
  ) {
    this.response = new options.response();
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const response: unknown = host.switchToHttp().getResponse();
    if (httpAdapter.isHeadersSent(response)) return;
    const { entry, body } = this.describe(exception);
    httpAdapter.setHeader(response, 'Cache-Control', 'no-cache');
    // A host's throttler may have said more exactly when to come back.
    for (const [name, value] of Object.entries(entry.headers ?? {}))
      if (!httpAdapter.getHeader?.(response, name)) httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, this.response.failure(body), entry.httpCode);
  }

  private describe(exception: unknown): { entry: TaskErrorEntry; body: TaskErrorBody } {
    if (exception instanceof TaskError) {
      if (exception.errorName === 'UNAVAILABLE') this.logger.warn(`unavailable: ${causeOf(exception)}`);
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
    this.logger.error(exception instanceof Error ? exception.stack : exception);
    return this.entry('INTERNAL');
  }

  private entry(name: string, detail?: unknown): { entry: TaskErrorEntry; body: TaskErrorBody } {
    const known = this.options.error[name];
    if (!known) this.logger.error(`The option \`error\` has no entry ${name}: answered as INTERNAL.`);
    const entry = known ?? this.options.error.INTERNAL;
    const body = { code: entry.code, msg: entry.msg, ...(detail === undefined ? {} : { detail }) };
    return { entry, body };
  }
}

/** What a host's exception says beyond the standard words for its status. */
function messageOf(exception: HttpException): unknown {
  const response = exception.getResponse();
  const message: unknown = typeof response === 'string' ? response : (response as { message?: unknown }).message;
  return typeof message === 'string' || Array.isArray(message) ? message : undefined;
}

function causeOf(error: TaskError): string {
  return error.cause instanceof Error ? error.cause.message : String(error.cause ?? 'unknown');
}
