import type { Subscription } from '../../live/subscription.js';
import type { StreamReceiver } from '../../live/live-stream.js';
import { AnswerSpace } from '../../queue/answer-room.js';
import { answerSpaceOf } from './exchange.js';

/** Node's response, of HTTP/1.1 or HTTP/2. */
interface RawResponse extends StreamReceiver {
  statusCode: number;
  setHeader(name: string, value: string | string[]): unknown;
  flushHeaders(): void;
}

/** A response of either adapter. Fastify wraps Node's, and is told that we answer by ourselves. */
type Reply = RawResponse & {
  raw?: RawResponse;
  hijack?(): unknown;
  getHeaders(): Record<string, string | string[] | undefined>;
};

interface StreamRequest {
  method: string;
  user?: { exp?: unknown };
}

/** For nginx: it would hold events back until it has a buffer full of them. */
const HEADERS = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' };

/** Answers a request with a stream of events. Errors before the first event are thrown. */
export async function sendEvents(subscription: Subscription, [request, response]: unknown[]): Promise<void> {
  const { method, user } = request as StreamRequest;
  const reply = response as Reply;
  const raw = reply.raw ?? reply;
  const head = (): void => {
    const given = reply.raw ? reply.getHeaders() : {};
    reply.hijack?.();
    raw.statusCode = 200;
    for (const [name, value] of Object.entries({ ...given, ...HEADERS }))
      if (value !== undefined) raw.setHeader(name, value);
    raw.flushHeaders();
  };
  // Both adapters serve HEAD by the handler of GET.
  if (method === 'HEAD') {
    head();
    raw.end();
    return;
  }
  const space = answerSpaceOf(request) ?? new AnswerSpace();
  await subscription.open(raw, { space, expiresAt: expiryOf(user), head });
}

/** The guard says by `request.user.exp` when its token expires, as a JWT does: in seconds since 1970. */
function expiryOf(user: StreamRequest['user']): number | undefined {
  const seconds = Number(user?.exp ?? NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
