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

/** What is waited for: a task, or a batch. */
interface Waited<T> {
  /** Its kind and its id, for the error. */
  kind: 'task' | 'batch';
  id: string;
  look(options: RequestOptions): Promise<T>;
  hasEnded(seen: T): boolean;
  /** The most seconds of a look. */
  most: number;
  /** Waits until the next look is due: `rest` milliseconds, of which `left` are left. `gap`: the interval by now. */
  rest?(times: { rest: number; left: number; gap: number }): Promise<void>;
}

/** Looks at it until it has ended. If the queue is away meanwhile, it tries again. */
export async function untilEnded<T>(
  { timeout = Infinity, interval = 5, signal }: WaitOptions,
  { kind, id, look, hasEnded, most, rest: until }: Waited<T>,
): Promise<T> {
  const end = performance.now() + timeout * 1000;
  const left = (): number => end - performance.now();
  let seen: T | undefined;
  for (let gap = FIRST_LOOK; ; gap = Math.min(gap * 1.5, interval * 1000)) {
    let rest = gap * (0.8 + Math.random() * 0.2);
    let failure: unknown;
    try {
      seen = await look({ signal, timeout: Math.min(Math.max(left(), LEAST_LOOK) / 1000, most), retries: 0 });
      if (hasEnded(seen)) return seen;
    } catch (error) {
      if (!(error instanceof TaskApiError && error.retryable)) throw error;
      rest = Math.max(rest, backoff(1, error.retryAfter));
      failure = error;
    }
    if (left() <= 0) {
      if (!seen) throw failure;
      const what = `${kind} ${id} has not ended within ${timeout} s`;
      throw new WaitTimeoutError(what, { detail: { [kind]: seen }, cause: failure });
    }
    if (until && !failure) await until({ rest: Math.min(rest, left()), left: left(), gap });
    else await pause(Math.min(rest, left()), signal);
  }
}

/** Looks at the task when the stream of events says that it has ended, and at intervals without a stream. */
export const waitForEnd = (
  taskId: string,
  options: WaitOptions,
  { ends, look, most }: { ends: EndWatch } & Pick<Waited<Task>, 'look' | 'most'>,
): Promise<Task> =>
  untilEnded(options, {
    kind: 'task',
    id: taskId,
    look,
    most,
    hasEnded: (task) => ends.hasEnded(task),
    // The first looks are for tasks that end at once.
    rest: ({ rest, left, gap }) =>
      gap > STREAM_FROM ? ends.wait(taskId, rest, left, options.signal) : pause(rest, options.signal),
  });
