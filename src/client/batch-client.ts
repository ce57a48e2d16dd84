import type { Batch, BatchPage, BatchSettings, BatchTask, CreatedBatch, NewBatch } from '../protocol/batch.types.js';
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

/** A user's own batches: tasks that belong together. */
export class BatchClient {
  constructor(
    private readonly transport: Transport,
    private readonly path: string,
    /** Status CANCELLED. */
    private readonly cancelled: number,
  ) {}

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

  get(batchId: string, options: RequestOptions = {}): Promise<Batch> {
    return this.transport.send({ method: 'GET', path: this.pathOf(batchId), ...options });
  }

  /** Newest first. */
  list(query: { limit?: number; cursor?: string } = {}, options: RequestOptions = {}): Promise<BatchPage> {
    return this.transport.send({ method: 'GET', path: this.path, query, ...options });
  }

  /** Adds tasks to a batch that is not sealed, all or none. Only repeated if the queue has surely not received it. */
  add(batchId: string, tasks: BatchTask[], options: RequestOptions = {}): Promise<CreatedBatch> {
    const path = `${this.pathOf(batchId)}/tasks`;
    return this.transport.send({ method: 'POST', path, body: { tasks }, once: true, ...options });
  }

  /** No tasks are added any more. */
  seal(batchId: string, options: RequestOptions = {}): Promise<Batch> {
    return this.transport.send({ method: 'PUT', path: this.pathOf(batchId), body: { seal: true }, ...options });
  }

  /** Cancels all tasks that have not ended. */
  cancel(batchId: string, options: RequestOptions = {}): Promise<Batch> {
    const body = { status: this.cancelled };
    return this.transport.send({ method: 'PUT', path: this.pathOf(batchId), body, once: true, ...options });
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

  private pathOf(batchId: string): string {
    return `${this.path}/${encodeURIComponent(batchId)}`;
  }
}
