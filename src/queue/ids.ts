import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const RANDOM = 16;
/** Random bytes are fetched for this many ids at once: one system call costs more than the rest of making an id. */
const BLOCK = 256;

/** When an id of version 7 was made: its first 48 bits. undefined: an id of another version says nothing of its time. */
export const timeOfId = (id: string): Date | undefined =>
  /^[\da-f]{8}-[\da-f]{4}-7/i.test(id) ? new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)) : undefined;

/** Makes task ids: UUIDs of version 7 (RFC 9562, 5.7). Each sorts after the one before, also within a millisecond. */
export class TaskIds {
  private readonly random = Buffer.alloc(RANDOM * BLOCK);
  private used = BLOCK;
  private msecs = 0;
  private seq = 0;

  next(): string {
    const random = this.nextRandom();
    const now = Date.now();
    // A clock that was set back does not change the order.
    if (now > this.msecs) {
      this.msecs = now;
      // The upper half of the counter stays free for counting.
      this.seq = random.readUInt32BE(6) >>> 1;
    } else this.seq += 1;
    return uuidv7({ random, msecs: this.msecs, seq: this.seq });
  }

  private nextRandom(): Buffer {
    if (this.used === BLOCK) {
      randomFillSync(this.random);
      this.used = 0;
    }
    const start = this.used * RANDOM;
    this.used += 1;
    return this.random.subarray(start, start + RANDOM);
  }
}
