import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { drain } from '../../../../src/callbacks/delivery/answer.js';

const KIB = 1024;

/** A body of so many KiB, each after so many milliseconds; and how much of it was read. */
function body(kib: number, pause = 0): { stream: Readable; taken: () => number } {
  let taken = 0;
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (; taken < kib; taken++) {
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      yield Buffer.alloc(KIB);
    }
  };
  return { stream: Readable.from(chunks(), { objectMode: false, highWaterMark: KIB }), taken: () => taken };
}

describe('an answer', () => {
  it('is read to its end, where that is near', async () => {
    const { stream, taken } = body(64);
    await drain(stream, new AbortController().signal);
    expect(taken()).toBe(64);
    expect(stream.readableEnded).toBe(true);
  });

  it('is read for 64 KiB, and no further', async () => {
    const { stream, taken } = body(10_000);
    await drain(stream, new AbortController().signal);
    expect(taken()).toBeGreaterThan(63);
    expect(taken()).toBeLessThan(70);
    expect(stream.destroyed).toBe(true);
  });

  it('is read for a second, and no longer, and less where the try is over', async () => {
    for (const [abortAfter, least, most] of [
      [60_000, 990, 30_000],
      [200, 190, 900],
    ] as const) {
      const { stream } = body(10_000, 50);
      const start = performance.now();
      // A timer that was set before: however slow the machine is, timers come in their order.
      let isLate = false;
      const timer = setTimeout(() => (isLate = true), most);
      await drain(stream, AbortSignal.timeout(abortAfter));
      clearTimeout(timer);
      expect(performance.now() - start).toBeGreaterThan(least);
      expect(isLate).toBe(false);
      expect(stream.destroyed).toBe(true);
    }
  });
});
