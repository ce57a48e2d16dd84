import type { WaitReason } from '../../protocol/wire.types.js';
import type { StopReason } from '../errors.js';

/** A task that is ours while its lease lasts. */
export interface Work<T> {
  task: T;
  taskId: string;
  leaseToken: string;
  /** The service of the task. */
  service: string;
  /** The trace in which it was created. */
  traceparent?: string | null | undefined;
  /** The `temp` of the last attempt. Empty if there was none. */
  checkpoint: string;
}

/** A worker's report on its task. Without `end` it renews the lease. */
export interface WorkReport {
  taskId: string;
  leaseToken: string;
  end?: 'finished' | 'failed' | 'released';
  progress?: number;
  temp?: string;
  output?: string;
  error?: string;
  /** With `failed`: another attempt may succeed. */
  retry?: boolean;
  /** Seconds until that attempt. */
  delay?: number;
  /** Seconds for which the service is paused. */
  pauseService?: number;
}

/** The result of a report. */
export type Verdict =
  | { kind: 'taken' }
  /** This worker no longer has the task. */
  | { kind: 'lost'; reason: StopReason }
  /** The report breaks a rule, and would be refused again. */
  | { kind: 'refused'; error: Error }
  /** The result is unknown: the report must be sent again. */
  | { kind: 'again'; error: Error };

/** Where work comes from and results go: the queue over HTTP, or the same process. */
export interface WorkSource<T> {
  /**
   * Takes up to `limit` tasks, and waits a while if there are none. Once aborted, it soon returns what it has already
   * taken. `waits` is called with the answer: why there are no tasks, if a pause or a limit is the reason.
   */
  claim(limit: number, signal: AbortSignal, waits?: (reason: WaitReason | undefined) => void): Promise<Work<T>[]>;
  /** Each report is decided on its own, in order. Rejects if the queue cannot be reached. */
  report(reports: WorkReport[]): Promise<Verdict[]>;
}
