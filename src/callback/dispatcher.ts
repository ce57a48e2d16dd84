import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Batcher } from '../store/batcher.js';
import type { CallbackStore, TakenCallback } from '../store/callback.store.js';
import { type Database, reading, transaction } from '../store/database.js';
import type { Answer, Delivery } from './delivery.js';
import { Health } from './health.js';
import { Outcomes } from './outcomes.js';
import { type CallbackRetry, pauseAfterTry } from './retry.js';

/**
 * Tries at once in this process, of one origin, of one that failed last time, and of all those together: however many
 * receivers hang, as many places are left for those that work.
 */
const AT_ONCE = { all: 64, origin: 8, troubled: 2, allTroubled: 32 } as const;
/** Due rows that one look sees: more than it takes, so that one origin's crowd does not hide the others. */
const WINDOW = 256;
/** Milliseconds between looks for what other processes wrote or what is due again: soon after a find, rarer without. */
const PAUSE = { shortest: 100, longest: 1000 } as const;
/** Milliseconds after a look that found nothing before a commit of this process brings about the next. */
const REST = 25;
/**
 * Milliseconds between looks at everything while receivers hang that have a long queue: in between, only what became due
 * since is looked at, and before that by the time that a transaction may take to commit.
 */
const RESCAN = { every: 1000, slack: 2000 } as const;
/**
 * Milliseconds that tries under way have when the process stops: a little more than a try may take, but no more than
 * fits in what a server has for its requests; and then, broken off, to be handed back.
 */
const STOP = { beyond: 1000, longest: 20_000, handBack: 2000 } as const;
/** Tries of one callback that are kept. */
const KEPT_TRIES = 30;

export interface DispatcherSettings {
  /** Seconds that a try may take. */
  timeout: number;
  retry: CallbackRetry;
}

/** Delivers what is due, in every process, each callback by one of them at a time. */
export class Dispatcher {
  private readonly logger = new Logger('TaskModule');
  private readonly health = new Health(this.logger);
  private readonly outcomes: Outcomes;
  /** Origin -> tries under way. */
  private readonly busy = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private pause: number = PAUSE.shortest;
  private rested = 0;
  private started = false;
  private stopped = false;
  private stoppedAt = 0;
  /** A wake came while a look was under way. */
  private woken = false;
  /** There may be more that is due than the last look could take. */
  private more = false;
  /** Others took what the last look found: the next one begins elsewhere. */
  private crowded = false;
  private failing = false;
  /** The last look at everything that found nothing but queues of these origins. */
  private queues: { origins: string[]; at: number } | undefined;

  constructor(
    private readonly database: Database,
    batcher: Batcher,
    private readonly store: CallbackStore,
    private readonly delivery: Delivery,
    private readonly settings: DispatcherSettings,
  ) {
    this.outcomes = new Outcomes(batcher, store);
  }

  start(): void {
    this.started = true;
    this.wake();
  }

  /** There is, or may be, something to deliver. */
  wake(): void {
    this.lookAgain(this.rested + REST - performance.now());
  }

  /** Takes nothing more. */
  drain(): void {
    if (!this.stopped) this.stoppedAt = performance.now();
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Ends once the tries under way have, or when they have had their time: the rest is broken off, and due again at once. */
  async stop(): Promise<void> {
    this.drain();
    await this.current;
    const patience = Math.min(this.settings.timeout * 1000 + STOP.beyond, STOP.longest);
    await this.tried(this.stoppedAt + patience - performance.now());
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

  /** After the look that is under way, or after so many milliseconds. */
  private lookAgain(milliseconds = 0): void {
    if (!this.started || this.stopped) return;
    if (this.current) this.woken = true;
    else this.lookIn(Math.max(0, milliseconds));
  }

  private lookIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.current = this.look().finally(() => {
        this.current = undefined;
        if (this.stopped) return;
        if (this.woken) this.lookAgain();
        else this.lookIn(this.pause * (0.7 + Math.random() * 0.3));
      });
    }, milliseconds);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    this.woken = false;
    try {
      let found = 0;
      for (let taken = await this.take(); taken > 0; taken = await this.take()) found += taken;
      this.failing = false;
      this.rested = performance.now();
      this.pause = found > 0 ? PAUSE.shortest : Math.min(this.pause * 2, PAUSE.longest);
    } catch (error) {
      this.pause = PAUSE.longest;
      // A database that is away is away for many looks: said once.
      if (!this.failing) this.logger.warn(`callbacks wait, and are tried again: ${(error as Error).message}`);
      this.failing = true;
    }
  }

  /** Begins as many tries as there is room for; answers how many. */
  private async take(): Promise<number> {
    const { store } = this;
    const room = AT_ONCE.all - this.underWay.size;
    this.more = true;
    if (room <= 0 || this.stopped) return 0;
    const full = this.full();
    const due = await this.due(full);
    const ids = this.choose(due, room);
    this.more = full.size > 0 || ids.length < due.length || due.length === WINDOW;
    if (ids.length === 0) return 0;
    const lease = 2 * this.settings.timeout + 5;
    const { callbacks, now } = await transaction(this.database, () => store.take(ids, randomUUID(), lease));
    this.crowded = callbacks.length < ids.length;
    const until = performance.now() + lease * 1000;
    for (const callback of callbacks) this.begin(callback, now, until);
    return callbacks.length;
  }

  /** What is due at other origins than these, which have all that they may. Their queues are long: not read each time. */
  private async due(full: Set<string>): Promise<{ id: string; origin: string }[]> {
    const { queues } = this;
    const [at, origins] = [performance.now(), [...full]];
    const known =
      queues && at - queues.at < RESCAN.every && queues.origins.every((origin) => full.has(origin))
        ? queues
        : undefined;
    const seconds = known && (at - known.at + RESCAN.slack) / 1000;
    const due = await reading(this.database, () => this.store.due(origins, WINDOW, seconds));
    if (!known) this.queues = full.size > 0 && due.length === 0 ? { origins, at } : undefined;
    return due;
  }

  /** Origins that have all that they may have. */
  private full(): Set<string> {
    const full = [...this.busy].filter(([origin, tries]) => tries >= this.most(origin)).map(([origin]) => origin);
    return new Set(this.roomForTroubled > 0 ? full : [...full, ...this.health.troubledOrigins]);
  }

  private get roomForTroubled(): number {
    const tries = [...this.busy].map(([origin, count]) => (this.health.isTroubled(origin) ? count : 0));
    return AT_ONCE.allTroubled - tries.reduce((sum, count) => sum + count, 0);
  }

  private most(origin: string): number {
    return this.health.isTroubled(origin) ? AT_ONCE.troubled : AT_ONCE.origin;
  }

  private choose(due: { id: string; origin: string }[], room: number): string[] {
    const free = new Map<string, number>();
    const chosen: string[] = [];
    let roomForTroubled = this.roomForTroubled;
    // Where others take the same rows, they are dealt out by chance; otherwise longest due first.
    for (const { id, origin } of this.crowded ? shuffled(due) : due) {
      const left = free.get(origin) ?? this.most(origin) - (this.busy.get(origin) ?? 0);
      const isTroubled = this.health.isTroubled(origin);
      if (left <= 0 || chosen.length === room || (isTroubled && roomForTroubled <= 0)) continue;
      free.set(origin, left - 1);
      if (isTroubled) roomForTroubled -= 1;
      chosen.push(id);
    }
    return chosen;
  }

  private begin(callback: TakenCallback, now: Date, until: number): void {
    const { origin } = callback;
    this.busy.set(origin, (this.busy.get(origin) ?? 0) + 1);
    const tried = this.attempt(callback, now, until)
      // Its lease lapses, and it is tried again.
      .catch((error: unknown) => this.logger.error(`callback ${callback.id} could not be tried`, stackOf(error)))
      .finally(() => {
        const left = this.busy.get(origin)! - 1;
        if (left > 0) this.busy.set(origin, left);
        else this.busy.delete(origin);
        this.underWay.delete(tried);
        if (this.more) this.lookAgain();
      });
    this.underWay.add(tried);
  }

  private async attempt(callback: TakenCallback, now: Date, until: number): Promise<void> {
    const start = performance.now();
    const answer = await this.delivery.post(callback, now);
    const durationMs = Math.round(performance.now() - start);
    const outcome = 'status' in answer ? { status: answer.status } : { error: answer.error };
    const tried = { time: now.toISOString(), ...outcome, durationMs };
    const tries = [...callback.tries, tried].slice(-KEPT_TRIES);
    const next = this.judge(answer, callback.attempts);
    const { id, token } = callback;
    const written = await this.outcomes.record({ id, token, next, tries }, until);
    // What we broke off says nothing of the receiver.
    if (written && !('next' in answer && answer.next === 0)) this.health.tell(callback, next, tried);
  }

  /** The status decides, and nothing else of an answer. */
  private judge(answer: Answer, tries: number): 'delivered' | 'dead' | number {
    if ('error' in answer) return answer.next ?? pauseAfterTry(tries, this.settings.retry) ?? 'dead';
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
