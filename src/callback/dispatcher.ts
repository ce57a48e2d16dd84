import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Batcher } from '../store/batcher.js';
import type { CallbackStore, Next, TakenCallback } from '../store/callback.store.js';
import { type Database, transaction } from '../store/database.js';
import type { CallbackTry } from './callback.js';
import type { Answer, Delivery } from './delivery.js';
import { DueList } from './due-list.js';
import { Health } from './health.js';
import { Looks } from './looks.js';
import { Outcomes } from './outcomes.js';
import { type Held, Places } from './places.js';
import { type CallbackRetry, pauseAfterTry } from './retry.js';

/**
 * Milliseconds that tries under way have when the process stops: a little more than a try may take, but no more than
 * fits in what a server has for its requests; and then, broken off, to be handed back.
 */
const STOP = { beyond: 1000, longest: 20_000, handBack: 2000 } as const;
/** Tries of one callback that are kept: as many as the longest schedule has, and some. */
const KEPT_TRIES = 60;

export interface DispatcherSettings {
  /** Seconds that a try may take. */
  timeout: number;
  retry: CallbackRetry;
}

/** Delivers what is due, in every process, each callback by one of them at a time. */
export class Dispatcher {
  private readonly logger = new Logger('TaskModule');
  private readonly health = new Health(this.logger);
  private readonly places: Places;
  private readonly looks = new Looks(() => this.find(), this.logger);
  private readonly dueList: DueList;
  private readonly outcomes: Outcomes;
  private readonly underWay = new Set<Promise<void>>();
  /** Seconds that a callback is ours: its try, whatever holds up the writing of the outcome, and some. */
  private readonly lease: number;
  private stoppedAt: number | undefined;
  /** There may be more that is due than the last look could take. */
  private more = false;
  /** Others took what the last look found: the next one begins elsewhere. */
  private crowded = false;

  constructor(
    private readonly database: Database,
    batcher: Batcher,
    private readonly store: CallbackStore,
    private readonly delivery: Delivery,
    private readonly settings: DispatcherSettings,
  ) {
    this.places = new Places(settings.timeout * 1000);
    this.dueList = new DueList(database, store);
    this.outcomes = new Outcomes(batcher, store);
    this.lease = 2 * settings.timeout + 5;
  }

  start(): void {
    this.looks.start();
  }

  /** There is, or may be, something to deliver. */
  wake(): void {
    this.looks.wake();
  }

  /** Takes nothing more; ends with the look that is under way. */
  async drain(): Promise<void> {
    this.stoppedAt ??= performance.now();
    await this.looks.stop();
  }

  /** Ends once the tries under way have, or when they have had their time: the rest is broken off, and due again at once. */
  async stop(): Promise<void> {
    await this.drain();
    const patience = Math.min(this.settings.timeout * 1000 + STOP.beyond, STOP.longest);
    await this.tried(this.stoppedAt! + patience - performance.now());
    this.delivery.close();
    await this.tried(STOP.handBack);
    this.outcomes.close();
  }

  /** Waits for the tries under way, so many milliseconds at most. */
  private async tried(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
    await Promise.race([Promise.all(this.underWay), late]);
    clearTimeout(timer!);
  }

  private async find(): Promise<boolean> {
    let found = 0;
    for (let taken = await this.take(); taken > 0; taken = await this.take()) found += taken;
    return found > 0;
  }

  /** Begins as many tries as there is room for; answers how many. */
  private async take(): Promise<number> {
    const { places, store } = this;
    this.more = true;
    if (places.left <= 0 || this.stoppedAt !== undefined) return 0;
    const { closed } = places;
    const { due, isAll } = await this.dueList.without(closed);
    if (isAll) places.pass(due);
    // Where others take the same rows, they are dealt out by chance; otherwise longest due first.
    const ids = places.choose(this.crowded ? shuffled(due) : due);
    this.more = closed.size > 0 || !isAll || ids.length < due.length;
    if (ids.length === 0) return 0;
    const { callbacks, now } = await transaction(this.database, () => store.take(ids, randomUUID(), this.lease));
    this.crowded = callbacks.length < ids.length;
    const until = performance.now() + this.lease * 1000;
    for (const callback of callbacks) this.begin(callback, now, until);
    return callbacks.length;
  }

  private begin(callback: TakenCallback, now: Date, until: number): void {
    this.places.take(callback.origin);
    const tried = this.attempt(callback, now, until)
      // Its lease lapses, and it is tried again.
      .catch((error: unknown) => this.logger.error(`callback ${callback.id} could not be tried`, stackOf(error)))
      .finally(() => {
        this.underWay.delete(tried);
        if (this.more) this.looks.again();
      });
    this.underWay.add(tried);
  }

  private async attempt(callback: TakenCallback, now: Date, until: number): Promise<void> {
    const { answer, durationMs } = await this.post(callback, now);
    const outcome = 'status' in answer ? { status: answer.status } : { error: answer.error };
    const tried = { time: now.toISOString(), ...outcome, durationMs };
    const tries = [...callback.tries, ...this.unheard(callback), tried].slice(-KEPT_TRIES);
    const next = this.judge(answer, callback.attempts);
    const { id, token } = callback;
    const written = await this.outcomes.record({ id, token, next, tries }, until);
    // What we broke off says nothing of the receiver.
    if (written && next !== 'untried') this.health.tell(callback, next, tried);
  }

  /** Its place is free once there is an answer: to write that down is no business of the receiver's. */
  private async post(callback: TakenCallback, now: Date): Promise<{ answer: Answer; durationMs: number }> {
    const start = performance.now();
    let held: Held | undefined;
    try {
      const answer = await this.delivery.post(callback, now);
      const milliseconds = performance.now() - start;
      const isBrokenOff = 'brokenOff' in answer;
      held = isBrokenOff ? undefined : { milliseconds, isAnswered: 'status' in answer };
      return { answer, durationMs: Math.round(milliseconds) };
    } finally {
      this.places.leave(callback.origin, held);
    }
  }

  /** The try before this one, where its process wrote down no outcome before the lease was over. */
  private unheard({ lapsedAt }: TakenCallback): CallbackTry[] {
    if (!lapsedAt) return [];
    const durationMs = this.lease * 1000;
    const time = new Date(lapsedAt.getTime() - durationMs).toISOString();
    return [{ time, error: 'its outcome is not known: the process that made it was killed, or cut off', durationMs }];
  }

  /** The status decides, and nothing else of an answer. */
  private judge(answer: Answer, tries: number): Next {
    if ('error' in answer) return answer.brokenOff ? 'untried' : (pauseAfterTry(tries, this.settings.retry) ?? 'dead');
    const { status, retryAfter } = answer;
    if (status >= 200 && status < 300) return 'delivered';
    // Gone: the receiver wants no more of it.
    if (status === 410) return 'dead';
    return pauseAfterTry(tries, this.settings.retry, retryAfter) ?? 'dead';
  }
}

const stackOf = (error: unknown): unknown => (error instanceof Error ? error.stack : error);

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
