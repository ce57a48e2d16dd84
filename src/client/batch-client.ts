import type {
  Batch,
  BatchLayerPage,
  BatchMemberPage,
  BatchPage,
  BatchQuery,
  BatchSettings,
  BatchTask,
  BatchTaskQuery,
  CreatedBatch,
  EndedCounts,
  NewBatch,
  OperatorBatch,
  OperatorBatchQuery,
} from '../protocol/batch.types.js';
import { newKey } from './new-key.js';
import type { RequestOptions, Transport } from './transport.js';
import { untilEnded, type WaitOptions } from './wait-for.js';

/** A batch that was asked for. */
export interface BatchCall {
  /** The batch as it was created, with the ids of its tasks. */
  created: Promise<CreatedBatch>;
  /** Resolves with the batch once all its tasks have ended, however they ended. WaitTimeoutError. */
  wait(options?: WaitOptions): Promise<Batch>;
}

/** What users and operators do with batches: tasks that belong together. */
abstract class Batches<Shown, Listed, Query extends BatchQuery> {
  constructor(
    protected readonly transport: Transport,
    protected readonly path: string,
    /** Status CANCELLED. */
    private readonly cancelled: number,
  ) {}

  get(batchId: string, options: RequestOptions = {}): Promise<Shown> {
    return this.transport.send({ method: 'GET', path: this.pathOf(batchId), ...options });
  }

  /** Newest first. */
  list(query: Partial<Query> = {}, options: RequestOptions = {}): Promise<BatchPage<Listed>> {
    return this.transport.send({ method: 'GET', path: this.path, query, ...options });
  }

  /** Its tasks, and which of them wait for which. */
  tasks(batchId: string, query: BatchTaskQuery = {}, options: RequestOptions = {}): Promise<BatchMemberPage> {
    return this.transport.send({ method: 'GET', path: `${this.pathOf(batchId)}/tasks`, query, ...options });
  }

  /** Its tasks by layers, counted: those that wait for none come first. */
  layers(
    batchId: string,
    query: { limit?: number; cursor?: string } = {},
    options: RequestOptions = {},
  ): Promise<BatchLayerPage> {
    return this.transport.send({ method: 'GET', path: `${this.pathOf(batchId)}/layers`, query, ...options });
  }

  /** No tasks are added any more. */
  seal(batchId: string, options: RequestOptions = {}): Promise<Shown> {
    return this.transport.send({ method: 'PUT', path: this.pathOf(batchId), body: { seal: true }, ...options });
  }

  /** Cancels all tasks that have not ended. Only repeated if the queue has surely not received it. */
  cancel(batchId: string, options: RequestOptions = {}): Promise<Shown> {
    const body = { status: this.cancelled };
    return this.transport.send({ method: 'PUT', path: this.pathOf(batchId), body, once: true, ...options });
  }

  protected pathOf(batchId: string): string {
    return `${this.path}/${encodeURIComponent(batchId)}`;
  }
}

/** The batches of all owners, for operators. */
export class OperatorBatchClient extends Batches<OperatorBatch, OperatorBatch<EndedCounts>, OperatorBatchQuery> {}

/** A user's own batches. */
export class BatchClient extends Batches<Batch, Batch<EndedCounts>, BatchQuery> {
  /** Creates a batch with its tasks, all or none. Requests that repeat the key create no other one. */
  create(
    batch: NewBatch,
    { idempotencyKey = newKey(), ...options }: RequestOptions & { idempotencyKey?: string } = {},
  ): Promise<CreatedBatch> {
    return this.transport.send({ method: 'POST', path: this.path, body: batch, idempotencyKey, ...options });
  }

  /** The same, with a way to wait for its end: `await client.batch(tasks).wait()`. */
  start(
    tasks: BatchTask[],
    settings: BatchSettings = {},
    options: RequestOptions & { idempotencyKey?: string } = {},
  ): BatchCall {
    const created = this.create({ ...settings, tasks }, options);
    return { created, wait: async (how) => this.wait((await created).batchId, how) };
  }

  /** Adds tasks to a batch that is not sealed, all or none. Only repeated if the queue has surely not received it. */
  add(batchId: string, tasks: BatchTask[], options: RequestOptions = {}): Promise<CreatedBatch> {
    const path = `${this.pathOf(batchId)}/tasks`;
    return this.transport.send({ method: 'POST', path, body: { tasks }, once: true, ...options });
  }

  /** Resolves with the batch once all its tasks have ended. It looks again at intervals. WaitTimeoutError. */
  wait(batchId: string, options: WaitOptions = {}): Promise<Batch> {
    return untilEnded(options, {
      kind: 'batch',
      id: batchId,
      look: (request) => this.get(batchId, request),
      hasEnded: ({ endedAt }) => endedAt !== null,
      most: this.transport.timeout,
    });
  }
}
