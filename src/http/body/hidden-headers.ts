import type { IncomingMessage } from 'node:http';

const NAMES = ['content-type', 'content-length', 'transfer-encoding'] as const;
const HIDDEN = Symbol('softdd.task.hiddenHeaders');
type Hiding = IncomingMessage & { [HIDDEN]?: Record<string, string> };

/**
 * Hides the headers that announce a body, until the request reaches its route. A multipart parser of the host, which
 * only looks at the headers, would otherwise wait for a stream that has already ended, and fail.
 */
export function hideBody(request: IncomingMessage): void {
  const hidden: Record<string, string> = {};
  for (const name of NAMES) {
    const value = request.headers[name];
    if (value !== undefined) hidden[name] = value;
  }
  // Assigns a new object: code that already holds Node's object still sees all headers.
  request.headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !(name in hidden)));
  (request as Hiding)[HIDDEN] = hidden;
}

export function restoreHeaders(request: IncomingMessage): void {
  const hidden = (request as Hiding)[HIDDEN];
  if (!hidden) return;
  (request as Hiding)[HIDDEN] = undefined;
  Object.assign(request.headers, hidden);
}
