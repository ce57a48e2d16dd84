import type { Task } from '../contract/task.entity.js';
import { reading } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import type { Queue } from '../queue/queue.js';
import { check, invalid } from '../validation/invalid.js';
import { BOUNDS, callbackLimitRule, isIdLike, layerRule, statusRule } from '../validation/rules.js';
import type { BatchLayer, BatchMember } from './batch.js';
import type { BatchStore } from './batch.store.js';
import type { GraphStore, LayerCount, MemberFilter } from './graph.store.js';
import { OUTCOME } from './member.store.js';
import { type BatchCaller, ownBatch } from './own-batch.js';
import { COUNTED, NONE } from './shown.js';

interface Page {
  /** 1 to 1,000. @defaultValue 50 */
  limit?: number | undefined;
  /** The `nextCursor` of the answer before. */
  cursor?: string | undefined;
}

/** `layer` and `status`: only such tasks. */
export interface BatchTasksOptions extends BatchCaller, MemberFilter, Page {}
export interface BatchLayersOptions extends BatchCaller, Page {}

export interface BatchMemberList {
  /** In the order in which they were created. With a condition it may be short although there are more. */
  list: BatchMember[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

export interface BatchLayerList {
  /** The tasks that wait for none come first. */
  list: BatchLayer[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

/** Tasks that one answer looks at, if not all of them fit. */
const LOOKED = 10_000;

/** The tasks of batches, and which of them wait for which. */
export class BatchGraph<T extends Task> {
  constructor(
    private readonly queue: Queue<T>,
    private readonly stores: { batches: BatchStore; graph: GraphStore },
  ) {}

  /** Tasks of a batch. NOT_FOUND, INVALID_PARAM. */
  async tasks(batchId: string, { limit = 50, cursor = '', ...options }: BatchTasksOptions): Promise<BatchMemberList> {
    check('limit', limit, callbackLimitRule);
    if (options.layer !== undefined) check('layer', options.layer, layerRule);
    if (options.status !== undefined) check('status', options.status, statusRule);
    if (cursor !== '' && !isIdLike(cursor)) throw wrongCursor();
    return this.read(batchId, options, () => this.page(batchId, options, cursor, limit));
  }

  /** Its tasks by layers, counted. NOT_FOUND, INVALID_PARAM. */
  async layers(batchId: string, { limit = 50, cursor = '0', userId }: BatchLayersOptions): Promise<BatchLayerList> {
    check('limit', limit, callbackLimitRule);
    if (!/^\d{1,9}$/.test(cursor)) throw wrongCursor();
    const from = Number(cursor);
    const { graph } = this.stores;
    const counts = await this.read(batchId, { userId }, () => graph.layers(batchId, from, limit + 1));
    const all = this.counted(counts);
    return { list: all.slice(0, limit), nextCursor: all.length > limit ? String(from + limit) : null };
  }

  private read<R>(batchId: string, caller: BatchCaller, script: () => Script<R>): Promise<R> {
    const { batches } = this.stores;
    return reading(this.queue.database, function* () {
      yield* ownBatch(batches, batchId, caller);
      return yield* script();
    });
  }

  private *page(batchId: string, filter: MemberFilter, after: string, limit: number): Script<BatchMemberList> {
    const { graph } = this.stores;
    const isFiltered = filter.layer !== undefined || filter.status !== undefined;
    const found = yield* graph.tasks(batchId, filter, after, limit + 1, isFiltered ? LOOKED : limit + 1);
    const page = found.slice(0, limit);
    const ids = page.map(({ taskId }) => taskId);
    const edges = yield* graph.needs(batchId, ids, BOUNDS.dependencies + 1);
    // The last one may wait for more, and those after it were not read.
    const cut = edges.length > BOUNDS.dependencies ? edges.at(-1)!.taskId : undefined;
    const list = page
      .filter(({ taskId }) => cut === undefined || taskId < cut)
      .map((task) => ({ ...task, dependsOn: [] as string[] }));
    const known = new Map(list.map((task) => [task.taskId, task]));
    for (const { taskId, needs } of edges) known.get(taskId)?.dependsOn.push(needs);
    if (cut !== undefined || found.length > limit) return { list, nextCursor: list.at(-1)!.taskId };
    return { list, nextCursor: isFiltered ? ((yield* graph.skip(batchId, after, LOOKED)) ?? null) : null };
  }

  private counted(counts: readonly LayerCount[]): BatchLayer[] {
    const layers = new Map<number, BatchLayer>();
    for (const { layer, outcome, status, count } of counts) {
      const shown = layers.get(layer) ?? { layer, total: 0, counts: { ...NONE } };
      layers.set(layer, shown);
      shown.total += count;
      shown.counts[this.kindOf(outcome, status)] += count;
    }
    return [...layers.values()];
  }

  private kindOf(outcome: number | null, status: number | null): keyof BatchLayer['counts'] {
    const ended = (['finished', 'failed', 'cancelled'] as const).find((name) => OUTCOME[name] === outcome);
    // Plain SQL has deleted those that have neither.
    return ended ?? (status === null ? 'cancelled' : COUNTED[this.queue.lifeCycle.phase(status)]);
  }
}

const wrongCursor = (): Error =>
  invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be the nextCursor of an earlier list' }]);
