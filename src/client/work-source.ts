import type { StopReason } from './errors.js';

/** A task that is ours while its lease holds. */
export interface Work<T> {
  task: T;
  taskId: string;
  leaseToken: string;
  /** What the last attempt left in `temp`; empty where there was none. */
  checkpoint: string;
}

/** A worker's word on its task. One without an `end` renews the lease. */
export interface WorkReport {
  taskId: string;
  leaseToken: string;
  end?: 'finished' | 'failed' | 'released';
  progress?: number;
  temp?: string;
  output?: string;
  error?: string;
  /** With `failed`: another attempt may mend it. */
  retry?: boolean;
  /** Seconds until that attempt. */
  delay?: number;
}

/** What became of a report. */
export type Verdict =
  | { kind: 'taken' }
  /** The task is not this worker's any more. */
  | { kind: 'lost'; reason: StopReason }
  /** It breaks a rule: sent again, it would be refused again. */
  | { kind: 'refused'; error: Error }
  /** Nobody knows: it must be sent again. */
  | { kind: 'again'; error: Error };

/** Where work comes from, and where its results go: the queue over HTTP, or in the same process. */
export interface WorkSource<T> {
  /**
   * Takes up to `limit` tasks, and waits a while where there are none. Once aborted it answers soon what it has taken
   * all the same.
   */
  claim(limit: number, signal: AbortSignal): Promise<Work<T>[]>;
  /** Each report is judged for itself, in their order. Rejects where the queue can't be reached. */
  report(reports: WorkReport[]): Promise<Verdict[]>;
}
