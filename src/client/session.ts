import { TaskStopped, type StopReason } from './errors.js';
import type { Heard, Reporter } from './reporter.js';
import type { Work, WorkReport } from './work-source.js';

/** What a handler is given. */
export interface TaskContext<T> {
  task: T;
  /**
   * Says how far it is, in percent, and, if given, where to go on from (`temp`, the checkpoint). May be called as often
   * as you like: at most every half second the newest is sent.
   */
  progress: (percent: number, temp?: string) => void;
  /** Aborted when the handler shall stop: the task was cancelled, the lease is lost, or the worker shuts down. */
  signal: AbortSignal;
  /** The last `temp` that an attempt before this one left; empty at first. */
  checkpoint: string;
}

type Words = Omit<WorkReport, 'taskId' | 'leaseToken'>;

/** One task in work: what its handler says, in order, until the end. */
export class Session<T> {
  readonly task: T;
  readonly context: TaskContext<T>;
  /** Why its handler shall stop; undefined while it may go on. */
  stopped: StopReason | undefined;
  /** When something was last said, in milliseconds: what renews the lease. */
  saidAt = performance.now();
  /** When the lease surely ran last: not when the claim was sent, which may have waited for the task. */
  heldAt = performance.now();
  /** Its last word is said. */
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

  /** The task is not this worker's any more. */
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

  /** The last word, with what is still unsaid; sent until it is answered. */
  async end(words: Words): Promise<Heard> {
    this.ended = true;
    clearTimeout(this.timer);
    const last = { ...this.unsaid, ...words };
    this.unsaid = undefined;
    const verdict = await this.say(last);
    if (verdict.kind !== 'refused' || !verdict.hadTemp) return verdict;
    // A checkpoint that breaks a rule, its own or one that went along, shall not take the result with it.
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

  private async say(words: Words): Promise<Heard> {
    const { taskId, leaseToken } = this.work;
    this.saidAt = performance.now();
    const verdict = await this.reporter.say({ taskId, leaseToken, ...words });
    if (verdict.kind === 'taken') this.heldAt = Math.max(this.heldAt, verdict.sentAt);
    if (this.ended || this.isLost) return verdict;
    if (verdict.kind === 'lost') this.stop(verdict.reason);
    if (verdict.kind === 'refused') this.tell.refused(verdict.error);
    return verdict;
  }
}
