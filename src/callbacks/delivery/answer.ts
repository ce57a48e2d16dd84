import type { ClientRequest } from 'node:http';
import type { Readable } from 'node:stream';

/** The most that is read of an answer's body: enough to use the connection again. The status is known by then. */
const MOST = { bytes: 65_536, milliseconds: 1000 } as const;

/** Reads an answer to its end, or to the bound. Failures here change nothing, because the status has decided. */
export function drain(answer: Readable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (answer.destroyed) return resolve();
    let left: number = MOST.bytes;
    const stop = (): void => void answer.destroy();
    const timer = setTimeout(stop, MOST.milliseconds);
    answer.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) stop();
    });
    answer.on('error', stop);
    answer.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}

/**
 * A receiver may answer before it has read the whole body. It has the rest of the try for that; then the connection is
 * cut.
 */
export function leave(request: ClientRequest, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      if (!request.writableFinished) request.destroy();
      resolve();
    };
    if (request.writableFinished || request.destroyed || signal.aborted) return end();
    request.once('finish', end).once('close', end);
    signal.addEventListener('abort', end);
  });
}
