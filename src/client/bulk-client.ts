import type { Bulk, BulkCount, BulkRequest } from '../protocol/operator.types.js';
import type { RequestOptions, Transport } from './transport.js';

/** Changes of many tasks: a user's own, or as an operator those of all. */
export class BulkClient<Filter> {
  constructor(
    private readonly transport: Transport,
    private readonly path: string,
  ) {}

  /** Starts one. It is only repeated if the queue has surely not received it. */
  start(request: BulkRequest<Filter>, options: RequestOptions = {}): Promise<Bulk> {
    return this.transport.send({ method: 'POST', path: this.path, body: request, once: true, ...options });
  }

  /** How many tasks it would change now. */
  count(request: BulkRequest<Filter>, options: RequestOptions = {}): Promise<BulkCount> {
    const body = { ...request, dryRun: true };
    return this.transport.send({ method: 'POST', path: this.path, body, ...options });
  }

  /** How far it is. */
  get(bulkId: string, options: RequestOptions = {}): Promise<Bulk> {
    return this.transport.send({ method: 'GET', path: `${this.path}/${encodeURIComponent(bulkId)}`, ...options });
  }

  /** Stops it. What was done stays done. */
  abort(bulkId: string, options: RequestOptions = {}): Promise<Bulk> {
    const path = `${this.path}/${encodeURIComponent(bulkId)}`;
    return this.transport.send({ method: 'PUT', path, body: { abort: true }, ...options });
  }
}
