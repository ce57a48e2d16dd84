import type { IncomingMessage, ServerResponse } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ANSWERED_OTHERWISE } from '../../queue/use-cases/claim.js';
import { exchangeOf } from '../binding/exchange.js';

const RESPONSE = Symbol('softdd.task.response');
type Signal = AbortSignal & { [RESPONSE]?: ServerResponse };

/** Sets a header of the answer to the request whose signal this is. */
export function setHeader(signal: AbortSignal | undefined, name: string, value: string): void {
  const response = (signal as Signal | undefined)?.[RESPONSE];
  if (response && !response.headersSent) response.setHeader(name, value);
}

export function readClientGone(_: unknown, context: ExecutionContext): AbortSignal {
  const http = context.switchToHttp();
  // Fastify wraps request and response; with Express both are Node's own.
  const response = http.getResponse<ServerResponse & { raw?: ServerResponse }>();
  const request = http.getRequest<IncomingMessage & { raw?: IncomingMessage }>();
  const raw = response.raw ?? response;
  const exchange = exchangeOf(request);
  const gone = new AbortController();
  (gone.signal as Signal)[RESPONSE] = raw;
  if (exchange) exchange.gone = gone;
  if ((request.raw ?? request).socket?.destroyed) gone.abort();
  raw.once('close', () => {
    if (!raw.writableEnded) gone.abort();
    else if (!exchange?.outcome) gone.abort(ANSWERED_OTHERWISE);
  });
  return gone.signal;
}

/** A signal that aborts if the client disconnects before it has its answer, or gets an answer from other code. */
export const ClientGone = createParamDecorator(readClientGone);
