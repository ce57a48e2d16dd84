/** Something that is read again and again. */
export interface Poll {
  /** Milliseconds after which it is due again. Default: `everyMs` of all. */
  readonly everyMs?: number | undefined;
  run(): Promise<void>;
}

/** What a page says of the server. */
export interface PollState {
  /** Failures since the last answer. 0: the server is there. */
  failures: number;
  message: string;
  /** When it is tried again. */
  nextAt: number;
}

export interface PollingOptions {
  /** Milliseconds between two requests. */
  everyMs: number;
  /** The most milliseconds between two tries while the server is gone. */
  mostMs: number;
  now(): number;
  /** Calls a function later. Returns what takes that back. */
  later(ms: number, call: () => void): () => void;
  /** The message of an error that means: the server is gone. undefined: it is another error. */
  goneMessage(error: unknown): string | undefined;
  onState(state: PollState): void;
}

/**
 * Runs the polls of a page in turns: one request at a time, and one in `everyMs`, however many there are. The one that
 * has waited the longest, measured by how often it wants to run, is next, and before all a new one. While the server is
 * gone the pauses grow.
 */
export class Polling {
  private readonly polls = new Map<Poll, number>();
  private cancel: (() => void) | undefined;
  private isRunning = false;
  private isPaused = false;
  private failures = 0;
  private lastStart = -Infinity;

  constructor(private readonly options: PollingOptions) {}

  /** Begins to run it, at once where nothing else runs. Returns what ends it. */
  add(poll: Poll): () => void {
    this.polls.set(poll, -Infinity);
    if (this.failures === 0) this.runSoon(0);
    return () => {
      this.polls.delete(poll);
    };
  }

  /** Runs one now, such as after a change. */
  now(poll: Poll): void {
    if (this.polls.has(poll)) this.polls.set(poll, -Infinity);
    this.runSoon(0);
  }

  /** Tries now, instead of later. */
  retry(): void {
    this.runSoon(0);
  }

  /** Nobody looks: nothing is sent. */
  pause(): void {
    this.isPaused = true;
    this.cancel?.();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.runSoon(Math.max(0, this.lastStart + this.options.everyMs - this.options.now()));
  }

  /** How long ago it ran, in units of how often it wants to. 1: it is due. */
  private lateness(poll: Poll): number {
    return (this.options.now() - this.polls.get(poll)!) / this.intervalOf(poll);
  }

  private pauseBeforeNext(): number {
    const dueAt = [...this.polls].map(([poll, ranAt]) => ranAt + this.intervalOf(poll));
    return Math.max(1, Math.min(...dueAt) - this.options.now());
  }

  private intervalOf({ everyMs }: Poll): number {
    return everyMs ?? this.options.everyMs;
  }

  private runSoon(ms: number): void {
    this.cancel?.();
    if (this.isPaused || this.isRunning) return;
    this.cancel = this.options.later(ms, () => void this.turn());
  }

  private async turn(): Promise<void> {
    const [next] = [...this.polls.keys()]
      .map((poll) => ({ poll, late: this.lateness(poll) }))
      .sort((a, b) => b.late - a.late);
    if (!next || this.isRunning || this.isPaused) return;
    const { poll } = next;
    // While the server is gone it is asked whether it is back, by whichever poll.
    if (next.late < 1 && this.failures === 0) return this.runSoon(this.pauseBeforeNext());
    this.isRunning = true;
    this.lastStart = this.options.now();
    this.polls.set(poll, this.lastStart);
    let gone: string | undefined;
    try {
      await poll.run();
    } catch (error) {
      gone = this.options.goneMessage(error);
    }
    this.isRunning = false;
    this.failures = gone === undefined ? 0 : this.failures + 1;
    const { everyMs, mostMs, now, onState } = this.options;
    const pause = gone === undefined ? everyMs : Math.min(everyMs * 2 ** (this.failures - 1), mostMs);
    onState({ failures: this.failures, message: gone ?? '', nextAt: now() + pause });
    // One that has never run, or that is asked for, does not wait for the others' turn.
    const isNew = gone === undefined && [...this.polls.values()].includes(-Infinity);
    this.runSoon(isNew ? 0 : Math.max(0, this.lastStart + pause - now()));
  }
}
