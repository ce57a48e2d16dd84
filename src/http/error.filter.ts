import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectTaskOptions } from '../contract/registration.js';
import type { TaskResponse } from '../contract/response.js';
import type { HttpSettings } from './http.options.js';
import { answerSpaceOf, failureOf } from './binding/exchange.js';
import { Failures } from './http-failures.js';

/** Answers each failure on the module's own routes: in the envelope, with the entry of the error catalogue. */
@Catch()
@Injectable()
export class TaskErrorFilter implements ExceptionFilter {
  private readonly failures: Failures;
  private readonly response: TaskResponse;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @InjectTaskOptions() options: HttpSettings,
  ) {
    this.failures = new Failures(options);
    this.response = new options.response();
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const response: unknown = host.switchToHttp().getResponse();
    if (httpAdapter.isHeadersSent(response)) return;
    const request: unknown = host.switchToHttp().getRequest();
    const failure = failureOf(request, exception);
    if (!failure) return;
    answerSpaceOf(request)?.send();
    const { entry, body } = this.failures.describe(failure.error);
    httpAdapter.setHeader(response, 'Cache-Control', 'no-cache');
    // A throttler of the host may already have set a more exact Retry-After.
    for (const [name, value] of Object.entries(entry.headers ?? {}))
      if (!httpAdapter.getHeader?.(response, name)) httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, this.response.failure(body), entry.httpCode);
  }
}
