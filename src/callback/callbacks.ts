import { TaskError } from '../contract/errors.js';
import { check, invalid } from '../core/invalid.js';
import { isIdLike, pageSizeRule } from '../core/rules.js';
import type { CallbackStore } from '../store/callback.store.js';
import { type Database, reading, transaction } from '../store/database.js';
import { CALLBACK_STATES, type CallbackState, type TaskCallback } from './callback.js';

export interface CallbackListOptions {
  /** Of this task only. */
  taskId?: string | undefined;
  state?: CallbackState | undefined;
  /** 1 to 1,000; 100 by default. */
  limit?: number | undefined;
  /** What the page before answered as `nextCursor`. */
  cursor?: string | undefined;
}

export interface CallbackList {
  /** Newest first. */
  list: TaskCallback[];
  /** For the next page; null where there is none. */
  nextCursor: string | null;
}

/** Callbacks, for operators. */
export class Callbacks {
  constructor(
    private readonly database: Database,
    private readonly store: CallbackStore,
    private readonly wake: () => void,
  ) {}

  /** Callbacks, newest first. INVALID_PARAM. */
  async list({ taskId, state, limit = 100, cursor }: CallbackListOptions = {}): Promise<CallbackList> {
    check('limit', limit, pageSizeRule);
    if (state !== undefined && !CALLBACK_STATES.includes(state))
      throw invalid([{ field: 'state', rule: 'isIn', msg: `state must be one of ${CALLBACK_STATES.join(', ')}` }]);
    if (cursor !== undefined && !isIdLike(cursor))
      throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be what a list answered as nextCursor' }]);
    if (taskId !== undefined && !isIdLike(taskId)) return { list: [], nextCursor: null };
    const filter = { taskId, state, before: cursor, limit: limit + 1 };
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
   * Delivers it anew, or sooner than it would be: due now, with the same id and content, its tries counted from the
   * start. One that is being tried just now is left to that. NOT_FOUND.
   */
  async replay(id: string): Promise<TaskCallback> {
    if (!isIdLike(id) || !(await transaction(this.database, () => this.store.replay(id))))
      throw new TaskError('NOT_FOUND');
    this.wake();
    return this.get(id);
  }

  /** How many there are in each state. */
  async counts(): Promise<Record<CallbackState, number>> {
    const counts = await reading(this.database, () => this.store.counts());
    return {
      pending: counts.get('pending') ?? 0,
      delivered: counts.get('delivered') ?? 0,
      dead: counts.get('dead') ?? 0,
    };
  }
}
