import { asError, isRefusal, TaskApiError } from './errors.js';
import { backoff } from './pause.js';
import type { Verdict, WorkReport, WorkSource } from './work-source.js';

const MOST = {
  /** Reports in a request: what the server takes. */
  reports: 100,
  /** Characters in a request that holds several: 1 MiB is the server's bound, and one may need six bytes. */
  chars: 150_000,
  /** Requests at once. */
  requests: 2,
} as const;

interface Entry {
  report: WorkReport;
  /** It spoilt a request with others. */
  alone: boolean;
  settle: ((heard: Heard) => void)[];
}

/** The verdict on a report as it was sent: when, in milliseconds, and whether with a checkpoint, be it an older word's. */
export type Heard = Verdict & { sentAt: number; hadTemp: boolean };

type Send = WorkSource<unknown>['report'];

/**
 * Takes reports to the queue: what is there when a request may leave goes with it, what a task says before its last
 * report has left is one report with that, and what nobody answered is sent again, until it is.
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
    /** Told of the first failure in a row, and of the first answer after it. */
    private readonly tell: { unreachable(error: Error): void; reachable(): void },
    /** Milliseconds that reports may rest, whatever the server asks for: longer, and leases were lost. */
    private longest = Infinity,
  ) {}

  /** The verdict on the report. What a lease says is told in order; the newest value of each field counts. */
  say(report: WorkReport): Promise<Heard> {
    return new Promise((settle) => {
      if (this.closed) return settle(ABANDONED);
      this.queue({ report, alone: false, settle: [settle] }, 'newer');
      this.soon(0);
    });
  }

  /** Rests no longer than so many milliseconds from now on: the worker closes. */
  hurry(longest: number): void {
    this.longest = Math.min(this.longest, longest);
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.soon(0);
  }

  /** Says no more of what is waiting under this lease: it is lost. */
  drop(leaseToken: string): void {
    this.underWay.delete(leaseToken);
    const entry = this.waiting.get(leaseToken);
    this.waiting.delete(leaseToken);
    if (entry) settle(entry, ABANDONED);
  }

  /** Gives up what is not answered: its leases run out. */
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
    other.alone ||= entry.alone;
    other.settle.push(...entry.settle);
  }

  /** Not at once: what else is said in this turn goes along. */
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
        // Nobody would catch it: it would end the process.
        this.rest(asError(error));
      }
    }, ms);
  }

  private take(): Entry[] {
    const batch: Entry[] = [];
    let chars = 0;
    for (const [token, entry] of this.waiting) {
      if (this.underWay.has(token)) continue;
      const { temp, output, error } = entry.report;
      for (const text of [temp, output, error]) chars += text?.length ?? 0;
      chars += 200;
      const fits = batch.length === 0 || (!entry.alone && !batch[0]!.alone && chars <= MOST.chars);
      if (!fits || batch.length === MOST.reports) break;
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
    const verdicts = await this.ask(batch);
    this.requests -= 1;
    const failure = verdicts.find((verdict) => verdict.kind === 'again');
    batch.forEach((entry, index) => this.heard(entry, verdicts[index]!, sentAt));
    const spoilt = batch.length > 1 && batch[0]!.alone;
    if (failure && !spoilt) this.rest(failure.error);
    else if (this.failures > 0) {
      this.failures = 0;
      this.tell.reachable();
    }
    if (this.waiting.size > 0 && !this.closed) this.soon(0);
  }

  private async ask(batch: Entry[]): Promise<Verdict[]> {
    try {
      return await this.send(batch.map(({ report }) => report));
    } catch (error) {
      return batch.map(() => this.judge(asError(error), batch));
    }
  }

  private heard(entry: Entry, verdict: Verdict, sentAt: number): void {
    const dropped = !this.underWay.delete(entry.report.leaseToken);
    if (verdict.kind === 'again' && !dropped && !this.closed) this.queue(entry, 'older');
    else settle(entry, { ...verdict, sentAt, hadTemp: entry.report.temp !== undefined });
  }

  /** One bad report spoils the request of many: each is sent for itself then. */
  private judge(error: Error, batch: Entry[]): Verdict {
    if (!(error instanceof TaskApiError) || error.retryable) return { kind: 'again', error };
    if (batch.length === 1) return { kind: isRefusal(error) ? 'refused' : 'again', error };
    for (const entry of batch) entry.alone = true;
    return { kind: 'again', error };
  }

  private rest(error: Error): void {
    this.failures += 1;
    if (this.failures === 1) this.tell.unreachable(error);
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.closed) this.soon(backoff(this.failures, (error as TaskApiError).retryAfter, this.longest));
  }
}

const settle = (entry: Entry, heard: Heard): void => entry.settle.forEach((each) => each(heard));

const ABANDONED: Heard = {
  kind: 'refused',
  error: new Error('the worker has stopped'),
  sentAt: -Infinity,
  hadTemp: false,
};
