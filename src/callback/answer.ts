import type { ClientRequest } from 'node:http';
import type { Readable } from 'node:stream';

/** Of an answer's body, once its status is known: enough for the connection to be used again, and more is nobody's business. */
const MOST = { bytes: 65_536, milliseconds: 1000 } as const;

/** Reads an answer to its end, or as far as anybody should. The status has decided: what happens here changes nothing. */
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

/** A receiver may answer before it has read all: it has the rest of the try for that, and then the connection is cut. */
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
