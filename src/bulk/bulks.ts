import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import type { Queue } from '../queue/queue.js';
import { BULK_ACTIONS, type BulkAction, statusesFor } from '../queue/use-cases/change-many.js';
import { countFound, filterOf, type SearchCount, type TaskFilterOptions } from '../queue/use-cases/search.js';
import { check, invalid } from '../validation/invalid.js';
import { checkNames } from '../validation/known-names.js';
import { oneOf } from '../validation/choice.rules.js';
import { callbackLimitRule, isIdLike, userIdRule } from '../validation/rules.js';
import type { Bulk } from './bulk.js';
import type { BulkRunner } from './bulk-runner.js';
import type { BulkStore } from './bulk.store.js';

export interface BulkRequest {
  /** `retry` runs failed and cancelled tasks again, `cancel` cancels what has not ended, `delete` deletes what no worker holds. */
  action: BulkAction;
  /** Which tasks. An empty filter needs `all`. */
  filter?: TaskFilterOptions | undefined;
  /** Really all tasks. */
  all?: boolean | undefined;
}

/** Who asks. With an owner: only that owner's tasks and bulks. */
export interface BulkCaller {
  userId?: string | undefined;
  /** Who asked for it, for the record. */
  by?: string | undefined;
}

export interface BulkList {
  /** Newest first. */
  list: Bulk[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

/** Names of conditions. */
const FILTERS = [
  'status',
  'service',
  'group',
  'userId',
  'workerId',
  'scheduleKey',
  'batchId',
  'error',
  'ids',
  'createdFrom',
  'createdTo',
];

/** Changes of many tasks by a filter. */
export class Bulks<T extends Task> {
  constructor(
    private readonly queue: Queue<T>,
    private readonly store: BulkStore,
    private readonly runner: BulkRunner<T>,
    private readonly nextId: () => string,
  ) {}

  /** Starts it. Tasks that are created later stay as they are. INVALID_PARAM. */
  async start(request: BulkRequest, { userId, by }: BulkCaller = {}): Promise<Bulk> {
    this.checked(request, userId);
    const { action, filter = {} } = request;
    const id = this.nextId();
    await transaction(this.queue.database, () =>
      this.store.insert({ id, userId: userId ?? null, requestedBy: by ?? userId ?? null, action, filter, lastId: id }),
    );
    this.runner.wake();
    return this.get(id, { userId });
  }

  /** How many tasks it would change now, as far as 100,000 rows tell. Changes nothing. INVALID_PARAM. */
  async count(request: BulkRequest, { userId }: BulkCaller = {}): Promise<SearchCount> {
    const filter = this.checked(request, userId);
    return countFound(this.queue, { ...filter, ...statusesFor(request.action, this.queue.lifeCycle) });
  }

  /** One bulk. NOT_FOUND. */
  async get(bulkId: string, { userId }: BulkCaller = {}): Promise<Bulk> {
    const bulk = isIdLike(bulkId) ? await reading(this.queue.database, () => this.store.find(bulkId)) : undefined;
    if (!bulk || (userId !== undefined && bulk.userId !== userId)) throw new TaskError('NOT_FOUND');
    // The process that worked it off may be gone. Each question about the bulk keeps it going.
    if (bulk.state === 'running') this.runner.wake();
    return bulk;
  }

  /** Stops it. What was done stays done. NOT_FOUND. An ended bulk stays as it is. */
  async abort(bulkId: string, caller: BulkCaller = {}): Promise<Bulk> {
    await this.get(bulkId, caller);
    await transaction(this.queue.database, () => this.store.abort(bulkId));
    return this.get(bulkId, caller);
  }

  /** The bulks of the last 7 days. INVALID_PARAM. */
  async list({ userId, limit = 50, cursor }: BulkCaller & { limit?: number; cursor?: string } = {}): Promise<BulkList> {
    check('limit', limit, callbackLimitRule);
    if (cursor !== undefined && !isIdLike(cursor))
      throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be the nextCursor of an earlier list' }]);
    const found = await reading(this.queue.database, () => this.store.list(userId, cursor, limit + 1));
    const list = found.slice(0, limit);
    return { list, nextCursor: found.length > limit ? list.at(-1)!.bulkId : null };
  }

  private checked({ action, filter = {}, all = false }: BulkRequest, userId: string | undefined): object {
    check('action', action, oneOf(BULK_ACTIONS));
    // A misspelt condition would hold for all tasks.
    const names = userId === undefined ? FILTERS : FILTERS.filter((name) => name !== 'userId');
    checkNames(filter, names, { one: 'condition', many: 'conditions' }, 'filter.');
    if (userId !== undefined) check('userId', userId, userIdRule);
    const checked = filterOf({ ...filter, ...(userId === undefined ? {} : { userId }) });
    const isEmpty = Object.values(filter).every((value) => value === undefined);
    if (isEmpty && !all)
      throw invalid([
        { field: 'filter', rule: 'notEmpty', msg: 'filter must not be empty; with all=true it means all tasks' },
      ]);
    return checked;
  }
}
