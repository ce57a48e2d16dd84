import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
import { InjectTaskOptions } from '../contract/registration.js';
import type { TaskResponse } from '../contract/response.js';
import type { ResolvedTaskOptions } from '../task.options.js';

/** On a handler: Cache-Control of its answers, where it isn't that of all others. */
export const CACHE_CONTROL = 'softdd:task:cache-control';

/** Puts what a handler returns into the registration's envelope. */
@Injectable()
export class EnvelopeInterceptor implements NestInterceptor {
  private readonly response: TaskResponse;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @InjectTaskOptions() options: ResolvedTaskOptions,
  ) {
    this.response = new options.response();
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const cacheControl = (Reflect.getMetadata(CACHE_CONTROL, context.getHandler()) as string | undefined) ?? 'no-cache';
    this.adapterHost.httpAdapter.setHeader(context.switchToHttp().getResponse(), 'Cache-Control', cacheControl);
    return next.handle().pipe(map((data: unknown) => this.response.success(data)));
  }
}
