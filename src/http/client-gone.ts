import type { IncomingMessage, ServerResponse } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** Aborted when the client hangs up before it has its answer. */
export const ClientGone = createParamDecorator((_: unknown, context: ExecutionContext): AbortSignal => {
  const http = context.switchToHttp();
  // Fastify wraps both; Express's are Node's own.
  const response = http.getResponse<ServerResponse & { raw?: ServerResponse }>();
  const request = http.getRequest<IncomingMessage & { raw?: IncomingMessage }>();
  const raw = response.raw ?? response;
  const gone = new AbortController();
  if ((request.raw ?? request).socket?.destroyed) gone.abort();
  raw.once('close', () => {
    if (!raw.writableEnded) gone.abort();
  });
  return gone.signal;
});
