import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import type { QueueEvent } from '../queue/events.js';
import type { TaskIds } from '../queue/ids.js';
import { type InTransaction, type Queue, run } from '../queue/queue.js';
import type { Creation, Idempotent } from '../queue/creation/create.js';
import { checkKey, conflict } from '../queue/creation/create-key.js';
import type { KeyEntry } from '../queue/stores/key.store.js';
import { oneOf } from '../validation/choice.rules.js';
import { check, invalid } from '../validation/invalid.js';
import { booleanRule, callbackLimitRule, isIdLike, userIdRule } from '../validation/rules.js';
import {
  type Batch,
  BATCH_STATES,
  type BatchState,
  type BatchSummary,
  type BatchTask,
  type CreatedBatch,
  type NewBatch,
  ON_FAILURE,
} from './batch.js';
import { type BatchEnd, stateOf } from './batch-end.js';
import type { BatchGraph } from './batch-graph.js';
import { type BatchRow, type BatchStore, CANCELLING, NOT_CANCELLED } from './batch.store.js';
import { type BatchPlan, planKey, type Planner } from './plan.js';
import type { MemberStore } from './member.store.js';
import { type BatchCaller, noBatch, ownBatch } from './own-batch.js';
import { shown, summaryOf } from './shown.js';

export interface BatchList {
  /** Newest first. With `state` it may be short although there are more: see `nextCursor`. */
  list: BatchSummary[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

export interface BatchListOptions extends BatchCaller {
  state?: BatchState | undefined;
  /** 1 to 1,000. @defaultValue 50 */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** What a change of a batch came to. */
interface Changed<T extends Task> {
  batch: BatchRow;
  events: QueueEvent<T>[];
}

/** Tasks that belong together: something happens when all of them have ended. */
export class Batches<T extends Task> {
  constructor(
    private readonly queue: Queue<T>,
    private readonly stores: { batches: BatchStore; members: MemberStore },
    private readonly creation: Creation<T>,
    private readonly planner: Planner<T>,
    private readonly end: BatchEnd<T>,
    private readonly ids: TaskIds,
    /** Which tasks a batch has, and which of them wait for which. */
    readonly graph: BatchGraph<T>,
    /** There may be work for the job that works off batches. */
    private readonly wake: () => void,
  ) {}

  /**
   * Creates a batch with its tasks, all or none. A batch without tasks ends at once. INVALID_PARAM, TOO_LARGE,
   * TOO_MANY_TASK, IDEMPOTENCY_CONFLICT.
   */
  async create(
    given: NewBatch<T>,
    { userId, idempotencyKey, ...where }: { userId: string } & Idempotent & InTransaction,
  ): Promise<CreatedBatch> {
    check('userId', userId, userIdRule);
    const { onFailure = 'finish', seal = true } = given;
    check('onFailure', onFailure, oneOf(ON_FAILURE));
    check('seal', seal, booleanRule);
    if (idempotencyKey !== undefined) checkKey(idempotencyKey, new Map([[userId, 1]]));
    const id = this.ids.next();
    const thenTask = await this.planner.then(given.then, userId, id);
    const callbackUrl = await this.planner.callbackUrl(given.callbackUrl);
    const plan = await this.planner.plan(given.tasks, userId, id);
    const key = idempotencyKey === undefined ? undefined : planKey(userId, idempotencyKey, given, id);
    const row = { id, userId, sealed: seal, onFailure, cancelling: NOT_CANCELLED, thenTask, callbackUrl };
    const made = await run(
      this.queue,
      where,
      () => this.insert({ ...row, finished: 0, failed: 0, cancelled: 0 }, plan, key),
      ({ tasks, events }) => this.tell(tasks, events),
    );
    return { ...(await this.of(made.batchId, { userId }, where)), taskIds: made.taskIds };
  }

  /** Adds tasks to a batch that is not sealed, all or none. NOT_FOUND, INVALID_STATE, and what `create` throws. */
  async add(
    batchId: string,
    tasks: BatchTask<T>[],
    { userId, ...where }: { userId: string } & InTransaction,
  ): Promise<CreatedBatch> {
    const { batches } = this.stores;
    const known = await this.row(batchId, { userId }, where);
    demandOpen(known);
    const plan = await this.planner.plan(tasks, userId, batchId);
    const { creation, stores, end } = this;
    const script = function* (): Script<T[]> {
      // The quota's lock comes first, then the tasks, then the batch: the order of every other change.
      const made = yield* plan.create(creation);
      const [batch] = yield* batches.lock([batchId]);
      if (!batch) throw noBatch();
      demandOpen(batch);
      yield* stores.members.insert(plan.members(made));
      yield* end.save({ ...batch, total: batch.total + made.length }, false);
      return made;
    };
    await run(this.queue, where, script, (made) => this.tell(made, []));
    return { ...(await this.of(batchId, { userId }, where)), taskIds: plan.taskIds };
  }

  /** No tasks are added any more: the batch ends with its last task, or at once. NOT_FOUND. */
  async seal(batchId: string, { userId, ...where }: BatchCaller & InTransaction = {}): Promise<Batch> {
    return this.change(batchId, { userId, ...where }, (batch) =>
      batch.sealed ? undefined : { ...batch, sealed: true },
    );
  }

  /**
   * Cancels all tasks that have not ended, and seals the batch. Large batches take a moment. A batch that was cancelled
   * stays as it is. NOT_FOUND. INVALID_STATE once it has ended.
   */
  async cancel(batchId: string, { userId, ...where }: BatchCaller & InTransaction = {}): Promise<Batch> {
    return this.change(batchId, { userId, ...where }, (batch) => {
      if (batch.cancelling !== NOT_CANCELLED) return undefined;
      if (batch.endedAt !== null)
        throw new TaskError('INVALID_STATE', {
          state: stateOf(batch),
          msg: `this batch has ended as ${stateOf(batch)} and cannot be cancelled`,
        });
      return { ...batch, cancelling: CANCELLING, sealed: true };
    });
  }

  /** One batch. NOT_FOUND. */
  async get(batchId: string, caller: BatchCaller = {}): Promise<Batch> {
    return this.of(batchId, caller, {});
  }

  /** Batches, newest first. INVALID_PARAM. */
  async list({ userId, state, limit = 50, cursor }: BatchListOptions = {}): Promise<BatchList> {
    check('limit', limit, callbackLimitRule);
    if (userId !== undefined) check('userId', userId, userIdRule);
    if (state !== undefined) check('state', state, oneOf(BATCH_STATES));
    if (cursor !== undefined && !isIdLike(cursor))
      throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be the nextCursor of an earlier list' }]);
    const { rows, end } = await reading(this.queue.database, () => this.rows(userId, state, cursor, limit + 1));
    const list = rows.slice(0, limit).map(summaryOf);
    return { list, nextCursor: rows.length > limit ? list.at(-1)!.batchId : (end ?? null) };
  }

  private *rows(
    userId: string | undefined,
    state: BatchState | undefined,
    before: string | undefined,
    limit: number,
  ): Script<{ rows: BatchRow[]; end?: string | undefined }> {
    const { batches } = this.stores;
    if (state) return yield* batches.listOf(state, userId, before, limit, LOOKED);
    return { rows: yield* batches.list(userId, before, limit) };
  }

  private *insert(
    row: Omit<BatchRow, 'total' | 'createdAt' | 'endedAt' | 'thenTaskId'>,
    plan: BatchPlan<T>,
    key: KeyEntry | undefined,
  ): Script<{ batchId: string; taskIds: string[]; tasks: T[]; events: QueueEvent<T>[] }> {
    const { queue, stores, end } = this;
    if (key) {
      const known = (yield* queue.keys.known([key.id])).get(key.id);
      if (known && known.fingerprint !== key.fingerprint) throw conflict();
      const batchId = known?.taskIds[0];
      if (batchId !== undefined) {
        const taskIds = yield* stores.members.first(batchId, plan.taskIds.length);
        return { batchId, taskIds, tasks: [], events: [] };
      }
      yield* queue.keys.add([{ ...key, seconds: queue.settings.idempotencyTtl }]);
    }
    const tasks = yield* plan.create(this.creation);
    yield* stores.batches.insert({ ...row, total: tasks.length }, LOOK);
    yield* stores.members.insert(plan.members(tasks));
    if (tasks.length > 0 || !row.sealed) return { batchId: row.id, taskIds: plan.taskIds, tasks, events: [] };
    const [empty] = yield* stores.batches.lock([row.id]);
    return { batchId: row.id, taskIds: [], tasks, events: yield* end.save(empty!, false) };
  }

  private async change(
    batchId: string,
    { userId, ...where }: BatchCaller & InTransaction,
    edit: (batch: BatchRow) => BatchRow | undefined,
  ): Promise<Batch> {
    await this.row(batchId, { userId }, where);
    const { stores, end } = this;
    const script = function* (): Script<Changed<T> | undefined> {
      const [batch] = yield* stores.batches.lock([batchId]);
      if (!batch) throw noBatch();
      const changed = edit(batch);
      return changed && { batch: changed, events: yield* end.save(changed, changed.cancelling === CANCELLING) };
    };
    await run(this.queue, where, script, (changed) => this.tell([], changed?.events ?? []));
    return this.of(batchId, { userId }, where);
  }

  /** After the commit. */
  private tell(tasks: T[], events: QueueEvent<T>[]): void {
    this.creation.committed({ made: tasks, replaced: [] });
    this.queue.hooks.committed(events);
    this.wake();
  }

  private row(batchId: string, caller: BatchCaller, where: InTransaction): Promise<BatchRow> {
    return this.read(where, () => ownBatch(this.stores.batches, batchId, caller));
  }

  private async of(batchId: string, caller: BatchCaller, where: InTransaction): Promise<Batch> {
    const row = await this.row(batchId, caller, where);
    if (row.endedAt !== null) return shown(row, [], this.queue.lifeCycle);
    const statuses = await this.read(where, () => this.stores.members.statuses(batchId));
    // Plain SQL has ended tasks.
    if (!where.manager && statuses.some(({ status }) => this.queue.lifeCycle.isEnded(status))) {
      await transaction(this.queue.database, () => this.stores.batches.hasten(batchId));
      this.wake();
    }
    return shown(row, statuses, this.queue.lifeCycle);
  }

  /** In the caller's own transaction also what that has written. */
  private read<R>({ manager }: InTransaction, script: () => Script<R>): Promise<R> {
    return manager ? run(this.queue, { manager }, script, () => undefined) : reading(this.queue.database, script);
  }
}

/** Seconds until the first look at a new batch. */
const LOOK = 60;
/** Batches that a list of one state looks at. */
const LOOKED = 10_000;

function demandOpen(batch: BatchRow): void {
  if (!batch.sealed) return;
  const msg = 'this batch is sealed, so no tasks can be added; create another batch, or create one with seal=false';
  throw new TaskError('INVALID_STATE', { state: stateOf(batch), msg });
}
