import { asError, describe, RetryLater, type TaskApiError, UnrecoverableError } from './errors.js';
import { LeaseKeeper } from './lease-keeper.js';
import { aborted, backoff, pause } from './pause.js';
import { Refusals } from './refusals.js';
import { Reporter } from './reporter.js';
import { Session, type TaskContext } from './session.js';
import type { Verdict, Work, WorkSource } from './work-source.js';
import { Emitter, type WorkerLog } from './worker-events.js';

/**
 * Does the work. What it returns is the task's output (what is no string, as JSON). What it throws is a failure that is
 * tried again, while attempts are left; UnrecoverableError: for good; RetryLater: after so many seconds.
 */
export type TaskHandler<T> = (context: TaskContext<T>) => unknown;

export interface RunnerOptions {
  /** Tasks at once, 1 to 1,000. @defaultValue 1 */
  concurrency?: number;
  /** Seconds that a task is held without a word, 3 to 86,400. @defaultValue 60 */
  lease?: number;
  /** Seconds between two words of a task, at most: how soon a cancel is heard of. @defaultValue a third of the lease */
  heartbeat?: number;
  /** Seconds between two reports of a task's progress. @defaultValue 0.5 */
  progressInterval?: number;
  /** Seconds that handlers may go on once the worker closes. @defaultValue 25 */
  shutdownTimeout?: number;
  /** Takes what the worker would print. @defaultValue nothing */
  log?: WorkerLog;
}

export interface CloseOptions {
  /** Seconds that handlers may go on; then their signals are aborted and their tasks given back. @defaultValue shutdownTimeout */
  timeout?: number;
}

/** Tasks in one claim: what the server takes. */
const MOST_CLAIMED = 100;
/** Seconds that handlers have to stop once their signals are aborted. */
const GRACE = 1;
/** Seconds that a claim under way may take to end. */
const LAST_CLAIM = 5;
/** Seconds that last words may take to arrive. */
const LAST_WORDS = 5;
/** Seconds that a task may rest: a year. */
const LONGEST_DELAY = 31_536_000;
/** Milliseconds between two tries to report, at most, once it closes. */
const HURRY = 500;
/** An answer of nothing that came sooner than this, in milliseconds, was no long poll: the server drains, say. */
const SOON = 1000;

/** Keeps up to `concurrency` handlers at work: claims what they can take, holds its leases, reports what they made. */
export class Runner<T> {
  readonly events: Emitter<T>;
  private readonly sessions = new Map<Session<T>, Promise<void>>();
  private readonly reporter: Reporter;
  private readonly keeper: LeaseKeeper;
  private readonly closing = new AbortController();
  /** Aborted when its handlers have had their time. */
  private readonly expired = new AbortController();
  private readonly concurrency: number;
  /** Who can't reach the queue: those that claim, those that report. */
  private readonly unreached = new Set<string>();
  private claiming: Promise<void> | undefined;
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

  /** Works until it is closed; rejects where the queue refuses this worker, after what is under way. */
  async run(): Promise<void> {
    if (this.claiming) throw new Error('this worker runs already, or has run: make a new one');
    const early = this.closing.signal.aborted;
    if (!early) this.keeper.start();
    this.claiming = early ? Promise.resolve() : this.claim();
    try {
      // A claim that never ends must not keep a closed worker.
      await Promise.race([this.claiming, aborted(this.closing.signal)]);
    } finally {
      await this.close();
    }
  }

  /** Stops claiming, waits for the handlers, and gives the rest back. Resolves when all is told. */
  close({ timeout = this.options.shutdownTimeout ?? 25 }: CloseOptions = {}): Promise<void> {
    // Called again, the earliest end counts.
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
    // Its handler goes on, perhaps for ever: what counts is that it is given back.
    for (const session of this.sessions.keys()) if (!session.ended) this.sessions.set(session, this.release(session));
    await within(LAST_WORDS, worked());
    this.reporter.close();
  }

  private async claim(): Promise<void> {
    const { signal } = this.closing;
    const refusals = new Refusals();
    let failures = 0;
    while (!signal.aborted) {
      const free = this.concurrency - this.sessions.size;
      if (free < 1) {
        await new Promise<void>((resolve) => (this.slotFreed = resolve));
        continue;
      }
      const asked = performance.now();
      try {
        const works = await this.source.claim(Math.min(free, MOST_CLAIMED), signal);
        refusals.answered();
        this.reached('claims');
        // An answer that was lost at first: its leases are not new.
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
    // The last claim may have been heard, and its answer lost.
    if (failures > 0) for (const work of await this.source.claim(1, signal).catch(() => [])) this.begin(work);
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
    const worked = this.closing.signal.aborted ? this.release(session) : this.work(session);
    const over = worked
      // Whatever goes wrong here ends neither the worker nor its process: the lease runs out.
      .catch((error: unknown) => this.events.emit('failed', { task, error, retry: true }))
      .finally(() => {
        this.sessions.delete(session);
        this.slotFreed();
      });
    this.sessions.set(session, over);
  }

  private async work(session: Session<T>): Promise<void> {
    const { task } = session;
    this.events.emit('started', { task });
    let verdict: Verdict | undefined;
    try {
      // Its first step, too, may throw.
      const output = textOf(await (async () => this.handler(session.context))());
      if (session.ended || session.isLost) return;
      verdict = await session.end({ end: 'finished', ...(output === undefined ? {} : { output }) });
      if (verdict.kind === 'taken') this.events.emit('finished', { task, output });
    } catch (error) {
      if (session.ended || session.isLost) return;
      if (session.stopped === 'shutdown' && !isMeant(error)) return this.release(session);
      const failure = failureOf(error);
      verdict = await session.end({ end: 'failed', ...failure });
      if (verdict.kind === 'taken') this.events.emit('failed', { task, error, retry: failure.retry });
    }
    this.tellUnlessTaken(task, verdict);
    if (verdict.kind === 'refused') await this.fail(session, verdict.error);
  }

  private async release(session: Session<T>): Promise<void> {
    if (session.ended || session.isLost) return;
    const verdict = await session.end({ end: 'released' });
    const { task } = session;
    if (verdict.kind === 'taken') this.events.emit('released', { task });
    // Refused, it has not failed: its lease runs out.
    this.tellUnlessTaken(task, verdict);
  }

  private tellUnlessTaken(task: T, verdict: Verdict): void {
    if (verdict.kind === 'lost') this.events.emit('lost', { task, reason: verdict.reason });
    if (verdict.kind === 'refused') this.events.emit('refused', { task, error: verdict.error });
  }

  /** A result that breaks a rule, too large say, is a failure for good: it would be the same again. */
  private async fail(session: Session<T>, error: Error): Promise<void> {
    const verdict = await session.end({ end: 'failed', error: errorText(`the result was refused: ${error.message}`) });
    if (verdict.kind === 'taken') this.events.emit('failed', { task: session.task, error, retry: false });
  }
}

/** A handler that means what it throws: at shutdown, too, it is no mere interruption. */
const isMeant = (error: unknown): boolean => error instanceof UnrecoverableError || error instanceof RetryLater;

function failureOf(error: unknown): { error: string; retry: boolean; delay?: number } {
  const text = errorText(describe(error).replace(/^(Error|UnrecoverableError|RetryLater): /, ''));
  if (error instanceof UnrecoverableError) return { error: text, retry: false };
  if (error instanceof RetryLater)
    return { error: text, retry: true, delay: Math.min(Math.ceil(error.seconds), LONGEST_DELAY) };
  return { error: text, retry: true };
}

/** As every database takes it. */
const errorText = (text: string): string => text.slice(0, 4000).replaceAll('\0', '').toWellFormed();

function textOf(output: unknown): string | undefined {
  if (output === undefined || output === null) return undefined;
  if (typeof output === 'string') return output;
  try {
    return JSON.stringify(output);
  } catch (cause) {
    // It would be the same again.
    throw new UnrecoverableError(`the output is no JSON: ${describe(cause)}`, { cause });
  }
}

async function within(seconds: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, pause(seconds * 1000, over.signal)]);
  over.abort();
}

const RANGES = {
  concurrency: [1, 1000],
  lease: [3, 86_400],
  heartbeat: [0.1, 86_400],
  progressInterval: [0.05, 3600],
  shutdownTimeout: [0, 86_400],
} as const;

/** Throws a RangeError that names what is wrong. */
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
