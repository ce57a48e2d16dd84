import type { IncomingMessage } from 'node:http';

const NAMES = ['content-type', 'content-length', 'transfer-encoding'] as const;
const HIDDEN = Symbol('softdd.task.hiddenHeaders');
type Hiding = IncomingMessage & { [HIDDEN]?: Record<string, string> };

/**
 * A multipart parser of the host's that runs after us would wait for a stream that has ended, and fail: it looks at the
 * headers alone. Until the request is at its route it seems to have no body.
 */
export function hideBody(request: IncomingMessage): void {
  const hidden: Record<string, string> = {};
  for (const name of NAMES) {
    const value = request.headers[name];
    if (value !== undefined) hidden[name] = value;
  }
  // Node's own object: those that hold it already go on seeing all.
  request.headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !(name in hidden)));
  (request as Hiding)[HIDDEN] = hidden;
}

export function restoreHeaders(request: IncomingMessage): void {
  const hidden = (request as Hiding)[HIDDEN];
  if (!hidden) return;
  (request as Hiding)[HIDDEN] = undefined;
  Object.assign(request.headers, hidden);
}
