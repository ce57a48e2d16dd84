import { TaskError } from '../contract/errors.js';
import { type Database, transaction } from './database.js';
import { DEADLINES } from './deadlines.js';
import type { Script } from './transaction.js';

/** The outcome of one item: its result, its error, or that it must run alone because somebody holds its row. */
export type Outcome<R> = { value: R } | { error: unknown } | { alone: true };

/** The outcome of an item whose transaction has committed, or why there is none. */
export type Settled<R> = Exclude<Outcome<R>, { alone: true }>;

export const done = <R>(value: R): Outcome<R> => ({ value });
export const failed = (error: unknown): { error: unknown } => ({ error });
export const ALONE: Outcome<never> = { alone: true };

/** A use case that handles many requests in one transaction. */
export interface Command<I, R> {
  /** The outcome of each item, in order. An item alone waits for locks; items together skip locked rows. */
  script(items: I[]): Script<Outcome<R>[]>;
  /** Keys that no two items of a transaction may share: the second one waits for the next transaction. */
  keys(item: I): string[];
  /** Rows that the item touches, and characters that it writes. */
  size(item: I): Size;
}

export interface Size {
  rows: number;
  chars: number;
}

/** The most of one transaction. A single item may be larger. */
const BATCH: Size = { rows: 200, chars: 1_000_000 };
/** Once this many rows wait, open a second transaction: larger ones are no cheaper per row. */
const PLENTY = BATCH.rows / 2;
/** The most that may wait. Beyond it requests are refused. */
const WAITING: Size = { rows: 50_000, chars: 64_000_000 };
/**
 * After this many milliseconds a transaction no longer delays the others: somebody probably holds a row that it needs.
 */
const SLOW = 200;
/** The most transactions of a lane at once. */
const TRACKS = 4;

interface Entry {
  command: Command<unknown, unknown>;
  item: unknown;
  keys: string[];
  size: Size;
  /** `performance.now()` of its arrival. */
  since: number;
  settle(outcome: Settled<unknown>): void;
}

/**
 * Group commit: requests that arrive during a transaction share the next one. Each use case has its own transactions if
 * the engine can run several at once. With only one writer all use cases share them.
 */
export class GroupCommit {
  private readonly lanes = new Map<unknown, Lane>();

  constructor(private readonly database: Database) {}

  /** Resolves after COMMIT. TOO_MANY_REQUESTS if too many items wait already. */
  run<I, R>(command: Command<I, R>, item: I): Promise<R> {
    return new Promise((resolve, reject) => {
      this.laneOf(command).add(command, item, (outcome) => {
        if ('value' in outcome) resolve(outcome.value);
        else reject(outcome.error as Error);
      });
    });
  }

  /** The same for many items. The outcome of each, in their order. */
  runEach<I, R>(command: Command<I, R>, items: I[]): Promise<Settled<R>[]> {
    const lane = this.laneOf(command);
    const outcomes = new Array<Settled<R>>(items.length);
    return new Promise((resolve) => {
      let open = items.length;
      if (open === 0) resolve(outcomes);
      for (const [index, item] of items.entries())
        lane.add(command, item, (outcome) => {
          outcomes[index] = outcome;
          open -= 1;
          if (open === 0) resolve(outcomes);
        });
    });
  }

  private laneOf(command: unknown): Lane {
    const key = this.database.oneWriter ? undefined : command;
    let lane = this.lanes.get(key);
    if (!lane) this.lanes.set(key, (lane = new Lane(this.database)));
    return lane;
  }
}

/**
 * While a transaction runs, new items collect, and the next transaction takes them, up to a limit. No timer is
 * involved: when the lane is idle, an item starts at once. A promise resolves only after COMMIT.
 */
class Lane {
  private waiting: Entry[] = [];
  private readonly waitingSize: Size = { rows: 0, chars: 0 };
  /** Items that run alone. */
  private held: Entry[] = [];
  private runningAlone = 0;
  /** Keys of the running transactions. */
  private readonly busy = new Set<string>();
  private tracks = 1;
  private running = 0;
  private scheduled = false;

  constructor(private readonly database: Database) {}

  /** `settle` is called after COMMIT. It must not throw. */
  add<I, R>(command: Command<I, R>, item: I, settle: (outcome: Settled<R>) => void): void {
    const size = command.size(item);
    if (this.waitingSize.rows + size.rows > WAITING.rows || this.waitingSize.chars + size.chars > WAITING.chars) {
      const msg = `${this.waitingSize.rows} rows are already queued for the database; retry after the Retry-After header`;
      return settle(failed(new TaskError('TOO_MANY_REQUESTS', { msg })));
    }
    this.waiting.push({
      command: command as Command<unknown, unknown>,
      item,
      keys: command.keys(item),
      size,
      since: performance.now(),
      settle: settle as Entry['settle'],
    });
    add(this.waitingSize, size, 1);
    this.schedule();
  }

  private async runAlone(): Promise<void> {
    if (this.runningAlone >= TRACKS) return;
    const entry = this.held.shift();
    if (!entry) return;
    this.runningAlone += 1;
    await this.attempt([entry]);
    this.runningAlone -= 1;
    return this.runAlone();
  }

  /** Runs after this turn of the event loop: items that arrive in it share the transaction. */
  private schedule(): void {
    const tracks = this.waitingSize.rows >= PLENTY ? Math.max(this.tracks, 2) : this.tracks;
    if (this.scheduled || this.waiting.length === 0 || this.running >= tracks) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    const entries = this.take();
    if (entries.length === 0) return;
    this.running += 1;
    // A transaction that waits for a long-held lock must not delay the others.
    let slow = false;
    const timer = setTimeout(() => {
      if (this.tracks === TRACKS) return;
      slow = true;
      this.tracks += 1;
      this.schedule();
    }, SLOW);
    await this.attempt(entries);
    clearTimeout(timer);
    if (slow) this.tracks -= 1;
    this.running -= 1;
    for (const key of entries.flatMap((entry) => entry.keys)) this.busy.delete(key);
    this.schedule();
  }

  /** As many items as one transaction takes, in order, without those whose key is in use. */
  private take(): Entry[] {
    const taken: Entry[] = [];
    const left: Entry[] = [];
    const size: Size = { rows: 0, chars: 0 };
    let full = false;
    for (const entry of this.waiting) {
      const fits = size.rows + entry.size.rows <= BATCH.rows && size.chars + entry.size.chars <= BATCH.chars;
      full ||= taken.length > 0 && !fits;
      if (full || entry.keys.some((key) => this.busy.has(key))) {
        left.push(entry);
        continue;
      }
      taken.push(entry);
      for (const key of entry.keys) this.busy.add(key);
      add(size, entry.size, 1);
    }
    this.waiting = left;
    add(this.waitingSize, size, -1);
    return taken;
  }

  /** One transaction. If an item in it fails, each half runs separately, until the failing item is alone. */
  private async attempt(entries: Entry[]): Promise<void> {
    let outcomes: Outcome<unknown>[];
    try {
      outcomes = await transaction(this.database, () => script(entries));
    } catch (error) {
      // If the database is away, the halves would fail, too.
      const isUnavailable = error instanceof TaskError && error.errorName === 'UNAVAILABLE';
      if (isUnavailable) this.rejectLate(error);
      if (entries.length === 1 || isUnavailable) return entries.forEach((entry) => entry.settle({ error }));
      const middle = Math.ceil(entries.length / 2);
      await this.attempt(entries.slice(0, middle));
      return this.attempt(entries.slice(middle));
    }
    entries.forEach((entry, index) => this.settle(entry, outcomes[index]!));
  }

  private rejectLate(error: unknown): void {
    // Otherwise items of one key would each run into the same deadline, one after the other.
    const since = performance.now() - DEADLINES.queued;
    const isLate = (entry: Entry): boolean => entry.since < since;
    const late = [...this.waiting, ...this.held].filter(isLate);
    for (const entry of this.waiting.filter(isLate)) add(this.waitingSize, entry.size, -1);
    this.waiting = this.waiting.filter((entry) => !isLate(entry));
    this.held = this.held.filter((entry) => !isLate(entry));
    for (const entry of late) entry.settle({ error });
  }

  private settle(entry: Entry, outcome: Outcome<unknown>): void {
    if (!('alone' in outcome)) return entry.settle(outcome);
    this.held.push(entry);
    void this.runAlone();
  }
}

/** Runs each use case's items in one script, one use case after the other. */
function* script(entries: Entry[]): Script<Outcome<unknown>[]> {
  const outcomes = new Map<Entry, Outcome<unknown>>();
  for (const command of new Set(entries.map((entry) => entry.command))) {
    const own = entries.filter((entry) => entry.command === command);
    const results = yield* command.script(own.map((entry) => entry.item));
    own.forEach((entry, index) => outcomes.set(entry, results[index]!));
  }
  return entries.map((entry) => outcomes.get(entry)!);
}

function add(total: Size, { rows, chars }: Size, sign: 1 | -1): void {
  total.rows += sign * rows;
  total.chars += sign * chars;
}
