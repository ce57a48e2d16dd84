import type { IncomingMessage } from 'node:http';
import { TaskError } from '../../contract/errors.js';
import { malformed, tooLarge } from '../../validation/body-problems.js';

/** Bytes of a refused body that are read and dropped, so that the client gets its answer and keeps its connection. */
const MAX_DRAIN = 64 * 1024 * 1024;
/** Bytes that all unfinished bodies may hold together: two of the largest that `bodyLimit` allows. */
const MAX_HELD = 128 * 1024 * 1024;

/**
 * Reads whole bodies before the guards run. So each body has at most `limit` bytes, and all unfinished bodies
 * together have at most `maxHeld`. Beyond that the oldest unfinished body is dropped, so that clients that send
 * slowly on purpose lose, and not new ones.
 */
export class BodyCollector {
  private readonly open = new Set<Bytes>();
  private held = 0;

  constructor(
    private readonly limit: number,
    private readonly maxHeld = MAX_HELD,
  ) {}

  /**
   * Reads the whole body. Beyond the limit the rest is read and dropped, because an early answer would cut off a
   * client that still sends. Rejects with TOO_LARGE, TOO_MANY_REQUESTS, or INVALID_PARAM if the body ends too early.
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
    msg: 'the server holds too many unfinished bodies and dropped this one, the oldest; send the request again',
  });

/**
 * The bytes of one body as they arrive. A single chunk is kept as it is. Several are copied into one buffer, because
 * a list of a million chunks of one byte would need a hundred times their size.
 */
class Bytes {
  /** Bytes that have arrived, including dropped ones. */
  size = 0;
  dropped = false;
  private buffer: Buffer = NOTHING;

  constructor(private readonly limit: number) {}

  get value(): Buffer {
    return this.buffer.subarray(0, this.size);
  }

  /** Bytes of memory that the buffer takes. */
  get held(): number {
    return this.buffer.length;
  }

  /** Returns by how many bytes `held` has grown. It is negative if the body has grown beyond its limit. */
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
