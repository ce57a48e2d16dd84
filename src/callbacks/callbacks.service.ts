import { TaskError } from '../contract/errors.js';
import { check, invalid } from '../validation/invalid.js';
import { oneOf, originRule } from '../validation/choice.rules.js';
import { callbackLimitRule, isIdLike } from '../validation/rules.js';
import type { BacklogStore, DeadOrigin } from './backlog.store.js';
import type { CallbackStore } from './callback.store.js';
import { type Database, reading, transaction } from '../database/database.js';
import { CALLBACK_STATES, type CallbackState, type TaskCallback } from './callback.js';

export interface CallbackListOptions {
  /** Only callbacks of this task. */
  taskId?: string | undefined;
  state?: CallbackState | undefined;
  /** Only callbacks to this origin, such as `https://app.example.com`. */
  origin?: string | undefined;
  /** 1 to 1,000, by default 100. */
  limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  cursor?: string | undefined;
}

export interface CallbackList {
  /** Newest first. */
  list: TaskCallback[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

/** Which callbacks to replay. */
export type ReplayFilter = Pick<CallbackListOptions, 'taskId' | 'state' | 'origin'>;

/** Callbacks that were made due again. */
export interface ReplayResult {
  replayed: number;
  /** There may be more that fit. */
  isPartial: boolean;
}

/** Callbacks that are not delivered. */
export interface CallbackBacklog {
  pending: number;
  dead: number;
  /** undefined: none is pending. */
  oldestPending: Date | undefined;
  /** Where the newest 1,000 dead ones should have gone: the 10 origins with most of them. */
  deadOrigins: DeadOrigin[];
}

/** Where counting ends. */
const COUNTED = 100_000;

/** The most callbacks of one replay. */
const REPLAYS = 1000;

/** Callbacks, for operators. */
export class Callbacks {
  constructor(
    private readonly database: Database,
    private readonly store: CallbackStore,
    private readonly undelivered: BacklogStore,
    private readonly wake: () => void,
  ) {}

  /** Callbacks, newest first. INVALID_PARAM. */
  async list({ taskId, state, origin, limit = 100, cursor }: CallbackListOptions = {}): Promise<CallbackList> {
    check('limit', limit, callbackLimitRule);
    if (state !== undefined) check('state', state, oneOf(CALLBACK_STATES));
    if (origin !== undefined) check('origin', origin, originRule);
    if (cursor !== undefined && !isIdLike(cursor))
      throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be the nextCursor of an earlier list' }]);
    if (taskId !== undefined && !isIdLike(taskId)) return { list: [], nextCursor: null };
    const filter = { taskId, state, origin, before: cursor, limit: limit + 1 };
    const found = await reading(this.database, () => this.store.list(filter));
    const list = found.slice(0, limit);
    return { list, nextCursor: found.length > limit ? list.at(-1)!.id : null };
  }

  /** One callback, with the JSON that is sent. NOT_FOUND. */
  async get(id: string): Promise<TaskCallback & { body: string }> {
    const found = isIdLike(id) ? await reading(this.database, () => this.store.find(id)) : undefined;
    if (!found) throw new TaskError('NOT_FOUND');
    return found;
  }

  /**
   * Delivers it again, or sooner than planned: due now, with the same id and content, its tries counted from zero. A
   * running try stays as it is. NOT_FOUND.
   */
  async replay(id: string): Promise<TaskCallback> {
    if (!isIdLike(id) || !(await transaction(this.database, () => this.store.replay(id))))
      throw new TaskError('NOT_FOUND');
    this.wake();
    const callback: TaskCallback & { body?: string } = await this.get(id);
    delete callback.body;
    return callback;
  }

  /**
   * The same for up to 1,000 callbacks, by default for dead ones. Of those that are pending, only the wait for the next
   * try ends. INVALID_PARAM.
   */
  async replayAll({ taskId, state = 'dead', origin }: ReplayFilter = {}): Promise<ReplayResult> {
    check('state', state, oneOf(CALLBACK_STATES));
    if (origin !== undefined) check('origin', origin, originRule);
    if (taskId !== undefined && !isIdLike(taskId)) return { replayed: 0, isPartial: false };
    const filter = { taskId, state, origin, limit: REPLAYS };
    const replayed = await transaction(this.database, () => this.store.replayAll(filter));
    this.wake();
    return { replayed, isPartial: replayed === REPLAYS };
  }

  /** How many are pending and dead, each counted up to 100,000, since when, and of which origins. */
  async backlog(): Promise<CallbackBacklog> {
    const { undelivered } = this;
    return reading(this.database, function* () {
      const dead = yield* undelivered.count('dead', COUNTED);
      return {
        pending: yield* undelivered.count('pending', COUNTED),
        dead,
        oldestPending: yield* undelivered.oldestPending(),
        deadOrigins: dead === 0 ? [] : yield* undelivered.deadOrigins(),
      };
    });
  }

  /** The number of callbacks in each state. */
  async counts(): Promise<Record<CallbackState, number>> {
    const counts = await reading(this.database, () => this.store.counts());
    return {
      pending: counts.get('pending') ?? 0,
      delivered: counts.get('delivered') ?? 0,
      dead: counts.get('dead') ?? 0,
    };
  }
}
