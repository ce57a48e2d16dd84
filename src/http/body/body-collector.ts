import type { IncomingMessage } from 'node:http';
import { TaskError } from '../../contract/errors.js';
import { malformed, tooLarge } from '../../validation/body-problems.js';

/** Bytes of a refused body that are read and thrown away, so that the client gets its answer and keeps its connection. */
const MAX_DRAIN = 64 * 1024 * 1024;
/** Bytes that all unfinished bodies may hold together: at least two of the largest that `bodyLimit` allows. */
const MAX_HELD = 128 * 1024 * 1024;

/**
 * Reads whole bodies, before anybody knows who sends them. So each is bounded by `limit`, and all that are under way
 * together by `maxHeld`. Past that bound the body that has been under way the longest is dropped: clients that send
 * slowly on purpose then lose, and not those that come now.
 */
export class BodyCollector {
  private readonly open = new Set<Bytes>();
  private held = 0;

  constructor(
    private readonly limit: number,
    private readonly maxHeld = MAX_HELD,
  ) {}

  /**
   * The whole body. Past the limit the rest is read and dropped: answering early would cut off a client still sending.
   * Rejects with TOO_LARGE, TOO_MANY_REQUESTS, or INVALID_PARAM for a body that breaks off.
   */
  collect(request: IncomingMessage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const brokenOff = (): void => reject(malformed('ended before its length'));
      if (request.destroyed) return brokenOff();
      const bytes = new Bytes(this.limit);
      this.open.add(bytes);
      request.on('data', (chunk: Buffer) => {
        this.held += bytes.add(chunk);
        while (this.held > this.maxHeld) this.dropOldest();
        if (bytes.size > this.limit + MAX_DRAIN) request.destroy();
      });
      request.on('end', () => {
        if (bytes.size > this.limit) reject(tooLarge('body', 'bodyLimit', `must be at most ${this.limit} bytes`));
        else if (bytes.dropped) reject(tooSlow());
        else resolve(bytes.value);
        this.forget(bytes);
      });
      // Without a listener, a client that hangs up could end the process.
      request.on('error', brokenOff);
      request.on('close', () => {
        this.forget(bytes);
        if (!request.readableEnded) brokenOff();
      });
    });
  }

  private dropOldest(): void {
    const [oldest] = this.open;
    this.forget(oldest!);
    oldest!.drop();
  }

  private forget(bytes: Bytes): void {
    if (this.open.delete(bytes)) this.held -= bytes.held;
  }
}

const tooSlow = (): TaskError =>
  new TaskError('TOO_MANY_REQUESTS', {
    msg: 'the server holds too many unfinished bodies, and this one came in slowest: send it again',
  });

/**
 * Bytes as they come in. A body of one chunk is that chunk; more are copied into one buffer: a million chunks of one
 * byte would cost a hundred times their size.
 */
class Bytes {
  /** Of all that came, what was dropped included. */
  size = 0;
  dropped = false;
  private buffer: Buffer = NOTHING;

  constructor(private readonly limit: number) {}

  get value(): Buffer {
    return this.buffer.subarray(0, this.size);
  }

  /** Bytes of memory. */
  get held(): number {
    return this.buffer.length;
  }

  /** Answers by how many bytes more it holds now; fewer where it has grown past its limit. */
  add(chunk: Buffer): number {
    const before = this.held;
    const end = this.size + chunk.length;
    if (end > this.limit) this.drop();
    if (!this.dropped) this.keep(chunk, end);
    this.size = end;
    return this.held - before;
  }

  drop(): void {
    this.dropped = true;
    this.buffer = NOTHING;
  }

  private keep(chunk: Buffer, end: number): void {
    if (this.size === 0) {
      this.buffer = chunk;
      return;
    }
    if (end > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(end, this.buffer.length * 2, 4096), this.limit));
      this.buffer.copy(larger, 0, 0, this.size);
      this.buffer = larger;
    }
    chunk.copy(this.buffer, this.size);
  }
}
const NOTHING = Buffer.alloc(0);
