import { asError, isAway, isRefusal, TaskApiError } from '../errors.js';
import { backoff } from '../pause.js';
import type { Verdict, WorkReport, WorkSource } from './work-source.js';

const MOST = {
  /** The most reports in a request that the server accepts. */
  reports: 100,
  /**
   * The most characters in a request with several reports: the server accepts 1 MiB, and a character may need six
   * bytes.
   */
  chars: 150_000,
  /** Requests at once. */
  requests: 2,
} as const;

interface Entry {
  report: WorkReport;
  /** How many reports may share its request, itself included. */
  most: number;
  settle: ((heard: Acknowledgement) => void)[];
  /** Called with the time when a request was sent that found the queue away, in milliseconds. */
  away: ((sentAt: number) => void) | undefined;
}

/**
 * The verdict on a report as it was sent: when, in milliseconds, and whether with a checkpoint, its own or an older
 * one.
 */
export type Acknowledgement = Verdict & { sentAt: number; hadTemp: boolean };

type Send = WorkSource<unknown>['report'];

/**
 * Sends reports to the queue. A request takes all reports that wait. What a task reports before its last report has
 * left is merged with that one. A report that nobody answered is sent again until it is answered.
 */
export class Reporter {
  private readonly waiting = new Map<string, Entry>();
  private readonly underWay = new Set<string>();
  private requests = 0;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly send: Send,
    /** Called at the first failure in a row, and at the first answer after it. */
    private readonly tell: { unreachable(error: Error): void; reachable(): void },
    /** The most milliseconds between two tries. It bounds the wish of the server, because leases would run out. */
    private longest = Infinity,
  ) {}

  /** The verdict on the report. Reports of a lease are sent in order, and the newest value of each field counts. */
  say(report: WorkReport, away?: (sentAt: number) => void): Promise<Acknowledgement> {
    return new Promise((settle) => {
      if (this.closed) return settle(ABANDONED);
      this.queue({ report, most: MOST.reports, settle: [settle], away }, 'newer');
      this.soon(0);
    });
  }

  /** From now on waits at most this many milliseconds between two tries, because the worker closes. */
  hurry(longest: number): void {
    this.longest = Math.min(this.longest, longest);
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.soon(0);
  }

  /** Drops the waiting reports of this lease, because it is lost. */
  drop(leaseToken: string): void {
    this.underWay.delete(leaseToken);
    const entry = this.waiting.get(leaseToken);
    this.waiting.delete(leaseToken);
    if (entry) settle(entry, ABANDONED);
  }

  /** Gives up reports that are not answered. Their leases run out. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const entry of this.waiting.values()) settle(entry, ABANDONED);
    this.waiting.clear();
  }

  private queue(entry: Entry, age: 'newer' | 'older'): void {
    const token = entry.report.leaseToken;
    const other = this.waiting.get(token);
    if (!other) return void this.waiting.set(token, entry);
    const [old, young] = age === 'newer' ? [other.report, entry.report] : [entry.report, other.report];
    other.report = { ...old, ...young };
    other.most = Math.min(other.most, entry.most);
    other.settle.push(...entry.settle);
  }

  /** Not at once, so that other reports of this turn go along. */
  private soon(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      try {
        while (!this.timer && this.requests < MOST.requests) {
          const batch = this.take();
          if (batch.length === 0) return;
          void this.request(batch);
        }
      } catch (error) {
        // An uncaught rejection would end the process.
        this.rest(asError(error));
      }
    }, ms);
  }

  private take(): Entry[] {
    const batch: Entry[] = [];
    let [chars, most] = [0, MOST.reports as number];
    for (const [token, entry] of this.waiting) {
      if (this.underWay.has(token)) continue;
      const { temp, output, error } = entry.report;
      for (const text of [temp, output, error]) chars += text?.length ?? 0;
      chars += 200;
      most = Math.min(most, entry.most);
      if (batch.length > 0 && (batch.length >= most || chars > MOST.chars)) break;
      batch.push(entry);
    }
    for (const { report } of batch) {
      this.waiting.delete(report.leaseToken);
      this.underWay.add(report.leaseToken);
    }
    return batch;
  }

  private async request(batch: Entry[]): Promise<void> {
    this.requests += 1;
    const sentAt = performance.now();
    const { verdicts, failure, isWell } = await this.ask(batch);
    this.requests -= 1;
    batch.forEach((entry, index) => this.heard(entry, verdicts[index]!, sentAt));
    if (failure) this.rest(failure);
    else if (isWell && this.failures > 0) {
      this.failures = 0;
      this.tell.reachable();
    }
    if (this.waiting.size > 0 && !this.closed) this.soon(0);
  }

  /** A verdict for each report. `failure`: why the next request must wait. `isWell`: there was no failure. */
  private async ask(batch: Entry[]): Promise<{ verdicts: Verdict[]; failure?: Error | undefined; isWell: boolean }> {
    try {
      const verdicts = await this.send(batch.map(({ report }) => report));
      const again = verdicts.find((verdict) => verdict.kind === 'again');
      // If some were answered, the others are sent again at once: the answer had no room for more.
      const isHeard = verdicts.some(({ kind }) => kind !== 'again');
      return { verdicts, failure: isHeard ? undefined : again?.error, isWell: !again };
    } catch (thrown) {
      const error = asError(thrown);
      const refused = isRefusal(error);
      if (refused && batch.length === 1) return { verdicts: [{ kind: 'refused', error }], isWell: true };
      // One report may spoil a request of many, so it is split in halves. This does not ask a failing server more
      // often.
      if (refused || isBroken(error)) for (const entry of batch) entry.most = Math.ceil(batch.length / 2);
      const verdicts = batch.map((): Verdict => ({ kind: 'again', error }));
      return { verdicts, failure: refused ? undefined : error, isWell: refused };
    }
  }

  private heard(entry: Entry, verdict: Verdict, sentAt: number): void {
    const dropped = !this.underWay.delete(entry.report.leaseToken);
    if (verdict.kind === 'again' && isAway(verdict.error)) entry.away?.(sentAt);
    if (verdict.kind === 'again' && !dropped && !this.closed) this.queue(entry, 'older');
    else settle(entry, { ...verdict, sentAt, hadTemp: entry.report.temp !== undefined });
  }

  private rest(error: Error): void {
    this.failures += 1;
    if (this.failures === 1) this.tell.unreachable(error);
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.closed) this.soon(backoff(this.failures, (error as TaskApiError).retryAfter, this.longest));
  }
}

/** The queue may have failed because of the content. If it were away it would answer 503. */
const isBroken = (error: Error): boolean =>
  error instanceof TaskApiError && error.httpStatus >= 500 && !error.retryable;

const settle = (entry: Entry, heard: Acknowledgement): void => entry.settle.forEach((each) => each(heard));

const ABANDONED: Acknowledgement = {
  kind: 'refused',
  error: new Error('the worker has stopped'),
  sentAt: -Infinity,
  hadTemp: false,
};
