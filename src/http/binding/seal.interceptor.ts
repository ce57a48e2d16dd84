import type { NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom } from 'rxjs';
import { conduct, exchangeOf } from './exchange.js';

/** Runs between the global interceptors and those of the host's controller, and keeps the result of the latter. */
export const SEAL: NestInterceptor = {
  intercept(context, next) {
    const http = context.switchToHttp();
    const request: unknown = http.getRequest();
    if (!exchangeOf(request)) return next.handle();
    return from(conduct(request, http.getResponse(), () => lastValueFrom(next.handle())));
  },
};
