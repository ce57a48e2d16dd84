import { TaskStopped, type StopReason } from '../errors.js';
import type { Acknowledgement, Reporter } from './reporter.js';
import type { Work, WorkReport } from './work-source.js';

/** What a handler receives. */
export interface TaskContext<T> {
  task: T;
  /**
   * Reports the progress in percent, and, if given, the checkpoint from which to continue (`temp`). Call it as often as
   * you like: at most every 0.5 s the newest values are sent.
   */
  progress: (percent: number, temp?: string) => void;
  /** Aborted when the handler must stop: the task was cancelled, the lease is lost, or the worker shuts down. */
  signal: AbortSignal;
  /** The last `temp` of the attempts before. Empty at first. */
  checkpoint: string;
}

type Words = Omit<WorkReport, 'taskId' | 'leaseToken'>;

/** One running task: the reports of its handler, in order, until its end. */
export class Session<T> {
  readonly task: T;
  readonly context: TaskContext<T>;
  /** Why its handler must stop. undefined while it may continue. */
  stopped: StopReason | undefined;
  /** When the last report was made, in milliseconds. Every report renews the lease. */
  saidAt = performance.now();
  /**
   * When the lease certainly ran last. Not when the claim was sent, which may have waited for the task. While the queue
   * is away, nobody else gets the task, and afterwards it gives workers time to report.
   */
  heldAt = performance.now();
  /** The last report is made. */
  ended = false;
  private readonly controller = new AbortController();
  private unsaid: Words | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly work: Work<T>,
    private readonly reporter: Reporter,
    /** Seconds between two reports of progress. */
    private readonly interval: number,
    private readonly tell: { lost(reason: StopReason): void; refused(error: Error): void },
  ) {
    this.task = work.task;
    const { task, checkpoint } = work;
    const progress = (percent: number, temp?: string): void => this.progress(percent, temp);
    this.context = { task, checkpoint, progress, signal: this.controller.signal };
  }

  /** This worker no longer has the task. */
  get isLost(): boolean {
    return this.stopped !== undefined && this.stopped !== 'shutdown';
  }

  /** A heartbeat. */
  renew(): void {
    void this.say({});
  }

  /** Tells the handler to stop. */
  stop(reason: StopReason): void {
    if (this.stopped !== undefined || this.ended) return;
    this.stopped = reason;
    clearTimeout(this.timer);
    if (reason !== 'shutdown') {
      this.reporter.drop(this.work.leaseToken);
      this.tell.lost(reason);
    }
    this.controller.abort(new TaskStopped(reason));
  }

  /** The last report, with everything not reported yet. Repeated until it is answered. */
  async end(words: Words): Promise<Acknowledgement> {
    this.ended = true;
    clearTimeout(this.timer);
    const last = { ...this.unsaid, ...words };
    this.unsaid = undefined;
    const verdict = await this.say(last);
    if (verdict.kind !== 'refused' || !verdict.hadTemp) return verdict;
    // A refused checkpoint must not take the result with it.
    const again = await this.say({ ...last, temp: undefined });
    if (again.kind !== 'refused') this.tell.refused(verdict.error);
    return again;
  }

  private progress(percent: number, temp?: string): void {
    if (!(percent >= 0)) throw new RangeError(`progress takes percent, from 0 to 100, not ${String(percent)}`);
    if (temp !== undefined && typeof temp !== 'string')
      throw new TypeError(`progress takes temp as a string, not ${temp === null ? 'null' : typeof temp}`);
    if (this.ended || this.isLost) return;
    const progress = Math.min(Math.floor(percent), 100);
    this.unsaid = { ...this.unsaid, progress, ...(temp === undefined ? {} : { temp }) };
    this.timer ??= this.sayUnsaid();
  }

  private sayUnsaid(): ReturnType<typeof setTimeout> | undefined {
    if (!this.unsaid) return undefined;
    void this.say(this.unsaid);
    this.unsaid = undefined;
    return setTimeout(() => (this.timer = this.sayUnsaid()), this.interval * 1000);
  }

  private async say(words: Words): Promise<Acknowledgement> {
    const { taskId, leaseToken } = this.work;
    this.saidAt = performance.now();
    const held = (at: number): void => void (this.heldAt = Math.max(this.heldAt, at));
    const verdict = await this.reporter.say({ taskId, leaseToken, ...words }, held);
    if (verdict.kind === 'taken') held(verdict.sentAt);
    if (this.ended || this.isLost) return verdict;
    if (verdict.kind === 'lost') this.stop(verdict.reason);
    if (verdict.kind === 'refused') this.tell.refused(verdict.error);
    return verdict;
  }
}
