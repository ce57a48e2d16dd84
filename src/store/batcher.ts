import { TaskError } from '../contract/errors.js';
import { type Database, transaction } from './database.js';
import type { Script } from './transaction.js';

/** What came of one item of a batch: its result, its failure, or that it must go alone, because somebody holds its row. */
export type Outcome<R> = { value: R } | { error: unknown } | { alone: true };

export const done = <R>(value: R): Outcome<R> => ({ value });
export const failed = (error: unknown): Outcome<never> => ({ error });
export const ALONE: Outcome<never> = { alone: true };

/** A use case that takes many requests in one transaction. */
export interface Batch<I, R> {
  /** The outcome of each item, in its place. An item that is alone waits for locks; many pass over what is locked. */
  script(items: I[]): Script<Outcome<R>[]>;
  /** What no two items of a batch share: the second one waits for the next. */
  keys(item: I): string[];
  /** Rows that it touches, and characters that it writes. */
  size(item: I): Size;
}

export interface Size {
  rows: number;
  chars: number;
}

/** Most of one transaction, but for an item that is larger by itself. */
const BATCH: Size = { rows: 200, chars: 1_000_000 };
/** Rows that wait no longer for the transaction under way: a larger batch costs as much a row, and a second one runs beside. */
const PLENTY = BATCH.rows / 2;
/** Most that waits; past it callers are told to come back. */
const WAITING: Size = { rows: 50_000, chars: 64_000_000 };
/** Milliseconds after which a transaction no longer keeps the others waiting: somebody holds what it needs. */
const SLOW = 200;
/** Most transactions of a lane at once, whatever holds them up. */
const TRACKS = 4;

interface Entry {
  batch: Batch<unknown, unknown>;
  item: unknown;
  keys: string[];
  size: Size;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Natural batching, each use case in transactions of its own where many can be under way at once, all in one where
 * there is but one writer.
 */
export class Batcher {
  private readonly lanes = new Map<unknown, Lane>();

  constructor(private readonly database: Database) {}

  /** Resolves after COMMIT. TOO_MANY_REQUESTS where too much waits already. */
  run<I, R>(batch: Batch<I, R>, item: I): Promise<R> {
    const key = this.database.oneWriter ? undefined : batch;
    let lane = this.lanes.get(key);
    if (!lane) this.lanes.set(key, (lane = new Lane(this.database)));
    return lane.run(batch, item);
  }
}

/**
 * While a transaction is in flight, what comes in gathers, and the next transaction takes it, or as much as pays.
 * Nothing waits for a clock: when idle, an item goes at once. A promise is kept only after COMMIT.
 */
class Lane {
  private waiting: Entry[] = [];
  private readonly waitingSize: Size = { rows: 0, chars: 0 };
  /** Items that go alone. */
  private readonly held: Entry[] = [];
  private runningAlone = 0;
  /** Keys of the transactions under way. */
  private readonly busy = new Set<string>();
  private tracks = 1;
  private running = 0;
  private scheduled = false;

  constructor(private readonly database: Database) {}

  run<I, R>(batch: Batch<I, R>, item: I): Promise<R> {
    const size = batch.size(item);
    if (this.waitingSize.rows + size.rows > WAITING.rows || this.waitingSize.chars + size.chars > WAITING.chars)
      return Promise.reject(new TaskError('TOO_MANY_REQUESTS', { msg: 'too much waits for the database: come back' }));
    return new Promise<R>((resolve, reject) => {
      this.enqueue({
        batch: batch as Batch<unknown, unknown>,
        item,
        keys: batch.keys(item),
        size,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });
  }

  private enqueue(entry: Entry): void {
    this.waiting.push(entry);
    add(this.waitingSize, entry.size, 1);
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

  /** After this turn of the event loop: what comes in with it shares the transaction. */
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
    // Whoever waits for a lock that somebody holds for long keeps nobody else waiting.
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

  /** The longest prefix, but for those whose key is taken, that one transaction carries. */
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

  /** One transaction; where something in it fails, each half for itself, until the culprit stands alone. */
  private async attempt(entries: Entry[]): Promise<void> {
    let outcomes: Outcome<unknown>[];
    try {
      outcomes = await transaction(this.database, () => script(entries));
    } catch (error) {
      if (entries.length === 1 || error instanceof TaskError) return entries.forEach((entry) => entry.reject(error));
      const middle = Math.ceil(entries.length / 2);
      await this.attempt(entries.slice(0, middle));
      return this.attempt(entries.slice(middle));
    }
    entries.forEach((entry, index) => this.settle(entry, outcomes[index]!));
  }

  private settle(entry: Entry, outcome: Outcome<unknown>): void {
    if ('value' in outcome) entry.resolve(outcome.value);
    else if ('error' in outcome) entry.reject(outcome.error);
    else {
      this.held.push(entry);
      void this.runAlone();
    }
  }
}

/** Each use case's items by one script, one use case after the other. */
function* script(entries: Entry[]): Script<Outcome<unknown>[]> {
  const outcomes = new Map<Entry, Outcome<unknown>>();
  for (const batch of new Set(entries.map((entry) => entry.batch))) {
    const own = entries.filter((entry) => entry.batch === batch);
    const results = yield* batch.script(own.map((entry) => entry.item));
    own.forEach((entry, index) => outcomes.set(entry, results[index]!));
  }
  return entries.map((entry) => outcomes.get(entry)!);
}

function add(total: Size, { rows, chars }: Size, sign: 1 | -1): void {
  total.rows += sign * rows;
  total.chars += sign * chars;
}
