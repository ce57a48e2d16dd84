import type { Task } from '../contract/task.entity.js';
import type { Batch } from '../batches/batch.js';
import type {
  BatchGraph,
  BatchLayerList,
  BatchLayersOptions,
  BatchMemberList,
  BatchTasksOptions,
} from '../batches/batch-graph.js';
import type { BatchList, BatchListOptions, Batches } from '../batches/batches.js';
import type { Audit, OperatorCall } from './audit.js';

/** The batches of all owners, for operators. Each action is told to `onAction`. */
export class OperatorBatches<T extends Task = Task> {
  private readonly graph: BatchGraph<T>;

  constructor(
    private readonly batches: Batches<T>,
    private readonly audit: Audit,
  ) {
    this.graph = batches.graph;
  }

  /** Newest first. INVALID_PARAM. */
  async list(options: BatchListOptions = {}): Promise<BatchList> {
    return this.batches.list(options);
  }

  /** One batch. NOT_FOUND. */
  async get(batchId: string): Promise<Batch> {
    return this.batches.get(batchId);
  }

  /** Its tasks. NOT_FOUND, INVALID_PARAM. */
  async tasks(batchId: string, options: Omit<BatchTasksOptions, 'userId'> = {}): Promise<BatchMemberList> {
    return this.graph.tasks(batchId, options);
  }

  /** Its tasks by layers, counted. NOT_FOUND, INVALID_PARAM. */
  async layers(batchId: string, options: Omit<BatchLayersOptions, 'userId'> = {}): Promise<BatchLayerList> {
    return this.graph.layers(batchId, options);
  }

  /** No tasks are added any more. NOT_FOUND. */
  async seal(batchId: string, call: OperatorCall = {}): Promise<Batch> {
    const batch = await this.batches.seal(batchId);
    this.tell('sealBatch', batch, call);
    return batch;
  }

  /** Cancels all tasks that have not ended. NOT_FOUND. INVALID_STATE once the batch has ended. */
  async cancel(batchId: string, call: OperatorCall = {}): Promise<Batch> {
    const batch = await this.batches.cancel(batchId);
    this.tell('cancelBatch', batch, call);
    return batch;
  }

  private tell(action: string, { batchId, userId }: Batch, { by }: OperatorCall): void {
    this.audit.tell({ action, by, count: 1, detail: { userId, batchId } });
  }
}
