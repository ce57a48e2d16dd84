import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { GroupCommit } from '../../database/group-commit.js';
import type { Next, TakenCallback } from '../callback.rows.js';
import { type CallbackStore, LARGE_BODY } from '../callback.store.js';
import { type Database, transaction } from '../../database/database.js';
import type { CallbackTry } from '../callback.js';
import type { Answer, Delivery } from './delivery.js';
import { DueList } from './due-list.js';
import { ReceiverLog } from './receiver-log.js';
import type { Traces } from '../../protocol/traces.js';
import { tracedDelivery } from './traced-delivery.js';
import { Poller, type Service } from '../../polling/poller.js';
import { OutcomeWriter } from './outcome-writer.js';
import { type SlotUse, DeliverySlots } from './delivery-slots.js';
import { type CallbackRetry, pauseAfterTry } from './callback-retry.js';

/** Milliseconds between two looks for callbacks that other processes wrote or that are due again. */
const INTERVAL = { shortest: 100, longest: 1000 } as const;
/**
 * Milliseconds that running tries have when the process stops: `beyond` more than a try may take, at most `longest`, to
 * fit into the time that a server gives its requests. Then they are broken off and have `handBack` to be handed back.
 */
const STOP = { beyond: 1000, longest: 20_000, handBack: 2000 } as const;
/** The most bytes of large bodies that are being sent. Each is in memory until its try is over. */
const LARGE_BYTES = 32 * 1024 * 1024;
/** Tries of one callback that are kept: a little more than the longest schedule has. */
const KEPT_TRIES = 60;

export interface DispatcherSettings {
  /** Seconds that a try may take. */
  timeout: number;
  retry: CallbackRetry;
}

/** Delivers due callbacks in every process. Each callback is tried by one process at a time. */
export class Dispatcher implements Service {
  private readonly logger = new Logger('TaskModule');
  private readonly health = new ReceiverLog(this.logger);
  private readonly slots: DeliverySlots;
  private readonly poller = new Poller({ name: 'looking for callbacks', interval: INTERVAL, run: () => this.find() });
  private readonly dueList: DueList;
  private readonly outcomes: OutcomeWriter;
  private readonly underWay = new Set<Promise<void>>();
  /** Seconds that this process holds a callback: its try, the time to store the outcome, and a margin. */
  private readonly lease: number;
  private stoppedAt: number | undefined;
  /** Bytes of large bodies that are being sent. */
  private largeBytes = 0;
  /** There may be more due callbacks than the last look could take. */
  private more = false;
  /** Other processes took what the last look found, so the next look starts elsewhere. */
  private crowded = false;

  constructor(
    private readonly database: Database,
    groupCommit: GroupCommit,
    private readonly store: CallbackStore,
    private readonly delivery: Delivery,
    private readonly settings: DispatcherSettings,
    private readonly traces: Traces,
  ) {
    this.slots = new DeliverySlots(settings.timeout * 1000);
    this.dueList = new DueList(database, store);
    this.outcomes = new OutcomeWriter(groupCommit, store);
    this.lease = 2 * settings.timeout + 5;
  }

  start(): void {
    this.poller.start();
    this.poller.wake();
  }

  /** There may be something to deliver. */
  wake(): void {
    this.poller.wake();
  }

  /** Takes no more callbacks. Resolves when the current look is over. */
  async drain(): Promise<void> {
    this.stoppedAt ??= performance.now();
    await this.poller.stop();
  }

  /** Resolves when the running tries are over. Those that take too long are broken off, and due again at once. */
  async stop(): Promise<void> {
    await this.drain();
    const patience = Math.min(this.settings.timeout * 1000 + STOP.beyond, STOP.longest);
    await this.tried(this.stoppedAt! + patience - performance.now());
    this.delivery.close();
    await this.tried(STOP.handBack);
    this.outcomes.close();
  }

  /** Waits for the running tries, at most this many milliseconds. */
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

  /** Starts as many tries as there are slots. Returns how many. */
  private async take(): Promise<number> {
    const { slots, store } = this;
    this.more = true;
    if (slots.left <= 0 || this.stoppedAt !== undefined) return 0;
    const { closed } = slots;
    const { due, isAll } = await this.dueList.without(closed);
    if (isAll) slots.pass(due);
    // If other processes take the same rows, the order is random; otherwise the oldest due callback comes first.
    const ids = slots.choose(this.crowded ? shuffled(due) : due);
    this.more = closed.size > 0 || !isAll || ids.length < due.length;
    if (ids.length === 0) return 0;
    const bytes = LARGE_BYTES - this.largeBytes;
    const { callbacks, now } = await transaction(this.database, () => store.take(ids, randomUUID(), this.lease, bytes));
    this.crowded = callbacks.length < ids.length;
    this.more ||= this.crowded;
    const until = performance.now() + this.lease * 1000;
    for (const callback of callbacks) this.begin(callback, now, until);
    return callbacks.length;
  }

  private begin(callback: TakenCallback, now: Date, until: number): void {
    this.slots.take(callback.origin);
    this.largeBytes += largeBytes(callback);
    const tried = this.attempt(callback, now, until)
      // Its lease runs out, and it is tried again.
      .catch((error: unknown) => this.logger.error(`callback ${callback.id} could not be tried`, stackOf(error)))
      .finally(() => {
        this.underWay.delete(tried);
        if (this.more) this.poller.again();
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
    // A try that we broke off says nothing about the receiver.
    if (written && next !== 'untried') this.health.tell(callback, next, tried);
  }

  /** The slot is free once the receiver has answered: storing the outcome does not use it. */
  private async post(callback: TakenCallback, now: Date): Promise<{ answer: Answer; durationMs: number }> {
    const start = performance.now();
    let held: SlotUse | undefined;
    try {
      const answer = await tracedDelivery(this.traces, callback, (traceparent) =>
        this.delivery.post(callback, now, traceparent),
      );
      const milliseconds = performance.now() - start;
      const isBrokenOff = 'brokenOff' in answer;
      held = isBrokenOff ? undefined : { milliseconds, isAnswered: 'status' in answer };
      return { answer, durationMs: Math.round(milliseconds) };
    } finally {
      this.slots.leave(callback.origin, held);
      this.largeBytes -= largeBytes(callback);
    }
  }

  /** The previous try, if its process stored no outcome before its lease ran out. */
  private unheard({ lapsedAt }: TakenCallback): CallbackTry[] {
    if (!lapsedAt) return [];
    const durationMs = this.lease * 1000;
    const time = new Date(lapsedAt.getTime() - durationMs).toISOString();
    return [{ time, error: 'the outcome is not known: the process was killed, or lost the database', durationMs }];
  }

  /** Only the status of an answer decides. */
  private judge(answer: Answer, tries: number): Next {
    if ('error' in answer) return answer.brokenOff ? 'untried' : (pauseAfterTry(tries, this.settings.retry) ?? 'dead');
    const { status, retryAfter } = answer;
    if (status >= 200 && status < 300) return 'delivered';
    // 410 Gone: the receiver wants no more tries.
    if (status === 410) return 'dead';
    return pauseAfterTry(tries, this.settings.retry, retryAfter) ?? 'dead';
  }
}

function largeBytes({ body }: TakenCallback): number {
  const bytes = Buffer.byteLength(body);
  return bytes > LARGE_BODY ? bytes : 0;
}

const stackOf = (error: unknown): unknown => (error instanceof Error ? error.stack : error);

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
