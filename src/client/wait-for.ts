import type { Task } from '../protocol/wire.types.js';
import type { EndWatch } from './end-watch.js';
import { TaskApiError, WaitTimeoutError } from './errors.js';
import { backoff, pause } from './pause.js';
import type { RequestOptions } from './transport.js';

export interface WaitOptions {
  /** Seconds to wait for the end. @defaultValue no limit */
  timeout?: number;
  /**
   * The most seconds between two looks, if there is no stream of events. The first ones come sooner.
   * @defaultValue 5
   */
  interval?: number;
  signal?: AbortSignal;
}

/** Milliseconds until the second look at a task in `waitFor`. */
const FIRST_LOOK = 250;
/** Milliseconds between two looks from which on `waitFor` opens a stream. */
const STREAM_FROM = 500;
/** The least milliseconds that a look may take: the last one starts when the time is up. */
const LEAST_LOOK = 250;

/** How the waiting call looks at its task. */
interface Looking {
  ends: EndWatch;
  look(options: RequestOptions): Promise<Task>;
  /** The most seconds of a look. */
  most: number;
}

/** Looks at the task until it has ended: when the stream of events says so, and at intervals without a stream. */
export async function waitForEnd(
  taskId: string,
  { timeout = Infinity, interval = 5, signal }: WaitOptions,
  { ends, look, most }: Looking,
): Promise<Task> {
  const end = performance.now() + timeout * 1000;
  const left = (): number => end - performance.now();
  let seen: Task | undefined;
  for (let gap = FIRST_LOOK; ; gap = Math.min(gap * 1.5, interval * 1000)) {
    let rest = gap * (0.8 + Math.random() * 0.2);
    let failure: unknown;
    try {
      seen = await look({ signal, timeout: Math.min(Math.max(left(), LEAST_LOOK) / 1000, most) });
      if (ends.hasEnded(seen)) return seen;
    } catch (error) {
      if (!(error instanceof TaskApiError && error.retryable)) throw error;
      rest = Math.max(rest, backoff(1, error.retryAfter));
      failure = error;
    }
    if (left() <= 0) {
      if (!seen) throw failure;
      const what = `task ${taskId} has not ended within ${timeout} s`;
      throw new WaitTimeoutError(what, { detail: { task: seen }, cause: failure });
    }
    // The first looks are for tasks that end at once.
    if (gap > STREAM_FROM && !failure) await ends.wait(taskId, Math.min(rest, left()), left(), signal);
    else await pause(Math.min(rest, left()), signal);
  }
}
