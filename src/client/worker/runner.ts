import type { WaitReason } from '../../protocol/wire.types.js';
import { asError, type TaskApiError } from '../errors.js';
import { LeaseKeeper } from './lease-keeper.js';
import { errorText, failureOf, isMeant, outputText } from './outcome.js';
import { aborted, backoff, pause } from '../pause.js';
import { Refusals } from './refusals.js';
import { Reporter } from './reporter.js';
import { endSpan, Traces } from '../../protocol/traces.js';
import { Session, type TaskContext } from './session.js';
import type { Verdict, Work, WorkSource } from './work-source.js';
import { checkRunner, type CloseOptions, type RunnerOptions } from './runner.options.js';
import { Emitter } from './worker-events.js';

/**
 * Does the work. Its return value is the task's output (as JSON if it is not a string). If it throws, the task is tried
 * again while attempts are left. UnrecoverableError: fails for good. RetryLater: tried again after its seconds.
 */
export type TaskHandler<T> = (context: TaskContext<T>) => unknown;

/** The most tasks in one claim that the server accepts. */
const MOST_CLAIMED = 100;
/** Seconds that handlers have to stop after their signals are aborted. */
const GRACE = 1;
/** Seconds that the current claim may take to end. */
const LAST_CLAIM = 5;
/** Seconds that the last reports may take to arrive. */
const LAST_WORDS = 5;
/** The most milliseconds between two tries to report while the worker closes. */
const HURRY = 500;
/** An empty answer sooner than this, in milliseconds, was no long poll: the server may be draining. */
const SOON = 1000;

/** Keeps up to `concurrency` handlers at work: claims tasks, holds their leases, reports the results. */
export class Runner<T> {
  readonly events: Emitter<T>;
  private readonly sessions = new Map<Session<T>, Promise<void>>();
  private readonly reporter: Reporter;
  private readonly keeper: LeaseKeeper;
  private readonly closing = new AbortController();
  /** Aborted when the handlers have had their time. */
  private readonly expired = new AbortController();
  private readonly concurrency: number;
  /** What cannot reach the queue now: claims, reports, or both. */
  private readonly unreached = new Set<string>();
  private traces: Traces | undefined;
  private claiming: Promise<void> | undefined;
  /** Why there were no tasks last. */
  private heldUp: WaitReason | undefined;
  private closed: Promise<void> | undefined;
  private slotFreed: () => void = () => undefined;

  constructor(
    private readonly source: WorkSource<T>,
    private readonly handler: TaskHandler<T>,
    private readonly options: RunnerOptions,
  ) {
    const { concurrency = 1, lease = 60, heartbeat = lease / 3, log } = options;
    checkRunner(options);
    this.concurrency = concurrency;
    this.events = new Emitter<T>(log);
    const tell = {
      unreachable: (error: Error) => this.reached('reports', error),
      reachable: () => this.reached('reports'),
    };
    this.reporter = new Reporter((reports) => source.report(reports), tell, heartbeat * 500);
    this.keeper = new LeaseKeeper(heartbeat, lease, () =>
      [...this.sessions.keys()].filter(({ ended, isLost }) => !ended && !isLost),
    );
  }

  /** Works until it is closed. Rejects if the queue refuses this worker, after the running tasks have ended. */
  async run(): Promise<void> {
    if (this.claiming) throw new Error('this worker is running or has run; create a new one');
    const early = this.closing.signal.aborted;
    if (!early) this.keeper.start();
    this.claiming = early ? Promise.resolve() : this.claim();
    try {
      // A claim that never ends must not keep a closed worker running.
      await Promise.race([this.claiming, aborted(this.closing.signal)]);
    } finally {
      await this.close();
    }
  }

  /** Stops claiming, waits for the handlers, and gives the rest back. Resolves when everything is reported. */
  close({ timeout = this.options.shutdownTimeout ?? 25 }: CloseOptions = {}): Promise<void> {
    // If it is called again, the earliest end counts.
    void pause(timeout * 1000, this.expired.signal).then(() => this.expired.abort());
    this.closed ??= this.stop();
    return this.closed;
  }

  private async stop(): Promise<void> {
    this.closing.abort();
    this.slotFreed();
    this.reporter.hurry(HURRY);
    const claimed = within(
      LAST_CLAIM,
      Promise.resolve(this.claiming).catch(() => undefined),
    );
    const worked = async (): Promise<void> => {
      await claimed;
      await Promise.all(this.sessions.values());
    };
    await Promise.race([worked(), aborted(this.expired.signal)]);
    this.expired.abort();
    for (const session of this.sessions.keys()) session.stop('shutdown');
    if (this.sessions.size > 0) await within(GRACE, Promise.all(this.sessions.values()));
    this.keeper.stop();
    // The handler may never end. It only matters that its task is given back.
    for (const session of this.sessions.keys()) if (!session.ended) this.sessions.set(session, this.release(session));
    await within(LAST_WORDS, worked());
    this.reporter.close();
  }

  private async claim(): Promise<void> {
    const { signal } = this.closing;
    const refusals = new Refusals();
    this.traces = await Traces.load();
    let failures = 0;
    while (!signal.aborted) {
      const free = this.concurrency - this.sessions.size;
      if (free < 1) {
        await new Promise<void>((resolve) => (this.slotFreed = resolve));
        continue;
      }
      const asked = performance.now();
      try {
        const works = await this.source.claim(Math.min(free, MOST_CLAIMED), signal, (reason) => this.noteWait(reason));
        refusals.answered();
        this.reached('claims');
        // After a lost answer the leases are not new.
        for (const work of works) this.begin(work, failures > 0);
        failures = 0;
        if (works.length === 0 && performance.now() - asked < SOON) await pause(backoff(3), signal);
      } catch (thrown) {
        const error = asError(thrown);
        if (refusals.isFinal(error)) throw error;
        failures += 1;
        if (!signal.aborted) this.reached('claims', error);
        await pause(backoff(failures, (error as TaskApiError).retryAfter), signal);
      }
    }
    // The server may have received the last claim although its answer was lost.
    if (failures > 0) for (const work of await this.source.claim(1, signal).catch(() => [])) this.begin(work);
  }

  private noteWait(reason: WaitReason | undefined): void {
    if (reason && reason !== this.heldUp) this.events.emit('heldUp', { reason });
    this.heldUp = reason;
  }

  private reached(by: string, error?: Error): void {
    const before = this.unreached.size;
    if (error) this.unreached.add(by);
    else this.unreached.delete(by);
    if (error && before === 0) this.events.emit('unreachable', { error });
    if (before > 0 && this.unreached.size === 0) this.events.emit('reachable', {});
  }

  private begin(work: Work<T>, renew = false): void {
    const { task } = work;
    const session: Session<T> = new Session(work, this.reporter, this.options.progressInterval ?? 0.5, {
      lost: (reason) => this.events.emit('lost', { task, reason }),
      refused: (error) => this.events.emit('refused', { task, error }),
    });
    if (renew) session.renew();
    const worked = this.closing.signal.aborted ? this.release(session) : this.work(session, work);
    const over = worked
      // An error here must not end the worker or its process: the lease runs out.
      .catch((error: unknown) => this.events.emit('failed', { task, error, retry: true }))
      .finally(() => {
        this.sessions.delete(session);
        this.slotFreed();
      });
    this.sessions.set(session, over);
  }

  private async work(session: Session<T>, work: Work<T>): Promise<void> {
    const { task } = session;
    this.events.emit('started', { task });
    let verdict: Verdict | undefined;
    try {
      // The first step of the handler may throw, too.
      const output = outputText(await this.handle(session, work));
      if (session.ended || session.isLost) return;
      verdict = await session.end({ end: 'finished', ...(output === undefined ? {} : { output }) });
      if (verdict.kind === 'taken') this.events.emit('finished', { task, output });
    } catch (error) {
      if (session.ended || session.isLost) return;
      if (session.stopped === 'shutdown' && !isMeant(error)) return this.release(session);
      const failure = failureOf(error, this.options.traceback ?? true);
      verdict = await session.end({ end: 'failed', ...failure });
      if (verdict.kind === 'taken') this.events.emit('failed', { task, error, retry: failure.retry });
    }
    this.tellUnlessTaken(task, verdict);
    if (verdict.kind === 'refused') await this.fail(session, verdict.error);
  }

  /** Runs the handler, in a span if there are spans: the span of an attempt links to the trace of the create. */
  private async handle({ context }: Session<T>, { taskId, service, traceparent }: Work<T>): Promise<unknown> {
    const { traces } = this;
    if (!traces?.isOn) return this.handler(context);
    const span = traces.start({ operation: 'process', service, taskIds: [taskId], parent: null, links: [traceparent] });
    try {
      const output = await traces.within(span, () => this.handler(context));
      endSpan(span);
      return output;
    } catch (error) {
      endSpan(span, error);
      throw error;
    }
  }

  private async release(session: Session<T>): Promise<void> {
    if (session.ended || session.isLost) return;
    const verdict = await session.end({ end: 'released' });
    const { task } = session;
    if (verdict.kind === 'taken') this.events.emit('released', { task });
    // If the release is refused, the task has not failed: its lease runs out.
    this.tellUnlessTaken(task, verdict);
  }

  private tellUnlessTaken(task: T, verdict: Verdict): void {
    if (verdict.kind === 'lost') this.events.emit('lost', { task, reason: verdict.reason });
    if (verdict.kind === 'refused') this.events.emit('refused', { task, error: verdict.error });
  }

  /** A result that breaks a rule (too large, for example) fails for good, because it would be the same again. */
  private async fail(session: Session<T>, error: Error): Promise<void> {
    const verdict = await session.end({
      end: 'failed',
      error: errorText(`the result was refused: ${error.message}`),
    });
    if (verdict.kind === 'taken') this.events.emit('failed', { task: session.task, error, retry: false });
  }
}

async function within(seconds: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, pause(seconds * 1000, over.signal)]);
  over.abort();
}
