import type { WorkerLog } from './worker-events.js';

export interface RunnerOptions {
  /** Tasks at once, 1 to 1,000. @defaultValue 1 */
  concurrency?: number;
  /** Seconds that a lease lasts without a report, 3 to 86,400. @defaultValue 60 */
  lease?: number;
  /** The most seconds between two reports, and so until a cancel is noticed. @defaultValue a third of the lease */
  heartbeat?: number;
  /** Seconds between two reports of a task's progress. @defaultValue 0.5 */
  progressInterval?: number;
  /** Seconds that handlers may continue after the worker closes. @defaultValue 25 */
  shutdownTimeout?: number;
  /**
   * Whether a failed task's `error` has, below the message, the last 4 KB of the stack. The task's owner can read it.
   * @defaultValue true
   */
  traceback?: boolean;
  /** Receives the log lines of the worker. @defaultValue nothing */
  log?: WorkerLog;
}

export interface CloseOptions {
  /**
   * Seconds for the handlers. Then their signals are aborted and their tasks given back. @defaultValue shutdownTimeout
   */
  timeout?: number;
}

const RANGES = {
  concurrency: [1, 1000],
  lease: [3, 86_400],
  heartbeat: [0.1, 86_400],
  progressInterval: [0.05, 3600],
  shutdownTimeout: [0, 86_400],
} as const;

/** Throws a RangeError that names the wrong value. */
export function checkRunner(options: RunnerOptions): void {
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = options[name as keyof typeof RANGES];
    const whole = name === 'concurrency' || name === 'lease';
    if (value === undefined || (value >= least && value <= most && (!whole || Number.isInteger(value)))) continue;
    throw new RangeError(
      `${name} must be ${whole ? 'an integer' : 'a number'} from ${least} to ${most}, not ${String(value)}`,
    );
  }
  const { lease = 60, heartbeat = lease / 3 } = options;
  if (heartbeat > lease / 2) throw new RangeError(`heartbeat must be at most half of the lease, ${lease / 2} s`);
}
