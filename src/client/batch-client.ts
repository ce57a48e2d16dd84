import type { Batch, BatchPage, BatchSettings, BatchTask, CreatedBatch, NewBatch } from '../protocol/batch.types.js';
import { TaskApiError, WaitTimeoutError } from './errors.js';
import { newKey } from './new-key.js';
import { backoff, pause } from './pause.js';
import type { RequestOptions, Transport } from './transport.js';
import type { WaitOptions } from './wait-for.js';

/** Milliseconds until the second look at a batch. */
const FIRST_LOOK = 250;
/** The least seconds that a look may take. */
const LEAST_LOOK = 0.25;

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
  async wait(batchId: string, { timeout = Infinity, interval = 5, signal }: WaitOptions = {}): Promise<Batch> {
    const end = performance.now() + timeout * 1000;
    const left = (): number => end - performance.now();
    for (let gap = FIRST_LOOK; ; gap = Math.min(gap * 1.5, interval * 1000)) {
      let rest = gap * (0.8 + Math.random() * 0.2);
      let failure: unknown;
      let seen: Batch | undefined;
      try {
        const most = timeout === Infinity ? {} : { timeout: Math.max(left() / 1000, LEAST_LOOK) };
        seen = await this.get(batchId, { signal, ...most });
        if (seen.endedAt !== null) return seen;
      } catch (error) {
        if (!(error instanceof TaskApiError && error.retryable)) throw error;
        rest = Math.max(rest, backoff(1, error.retryAfter));
        failure = error;
      }
      if (left() <= 0) {
        if (!seen) throw failure;
        const what = `batch ${batchId} has not ended within ${timeout} s`;
        throw new WaitTimeoutError(what, { detail: { batch: seen } });
      }
      await pause(Math.min(rest, left()), signal);
    }
  }

  private pathOf(batchId: string): string {
    return `${this.path}/${encodeURIComponent(batchId)}`;
  }
}
