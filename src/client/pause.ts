/** The most that a timer accepts: with more milliseconds it would fire at once. */
export const timerMs = (ms: number): number => Math.min(ms, 2 ** 31 - 1);

/** Waits this many milliseconds, or until the signal is aborted. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, timerMs(ms));
    signal?.addEventListener('abort', end);
  });

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const BACKOFF = { first: 200, longest: 10_000, asked: 30_000 } as const;

/**
 * Milliseconds before the next try after n failures in a row. Doubled each time, with a random factor between 0.5 and
 * 1, so that clients that failed together do not return together. At least the seconds that the server asked for, and
 * at most `longest`.
 */
export function backoff(failures: number, retryAfter = 0, longest: number = BACKOFF.asked): number {
  const most = Math.min(BACKOFF.first * 2 ** (failures - 1), BACKOFF.longest, longest);
  const jitter = 0.5 + Math.random() / 2;
  return Math.max(most * jitter, Math.min(retryAfter * 1000, longest) * (1 + Math.random() / 10));
}
