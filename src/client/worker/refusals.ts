import { TaskApiError } from '../errors.js';

/** Seconds that a worker which has worked before may be refused in a row: a token is renewed, or a guard recovers. */
export const REFUSED_FOR = 300;
/** HTTP statuses by which the queue refuses the caller, not the request. */
const CREDENTIALS = [401, 403, 430];

/** Decides whether a failed claim ends the worker. */
export class Refusals {
  private worked = false;
  /** When the current refusals began, in milliseconds. */
  private since: number | undefined;

  /** A claim was answered. */
  answered(): void {
    this.worked = true;
    this.since = undefined;
  }

  /** Whether the queue refuses this worker for good, or has never been at this address. */
  isFinal(error: Error, now = performance.now()): boolean {
    const refused = error instanceof TaskApiError && !error.retryable && error.httpStatus < 500 ? error : undefined;
    const passing = this.worked && refused !== undefined && CREDENTIALS.includes(refused.httpStatus);
    this.since = passing ? (this.since ?? now) : undefined;
    if (!refused || !this.worked) return refused !== undefined;
    return refused.code !== 0 && (!passing || now - this.since! >= REFUSED_FOR * 1000);
  }
}
