import type {
  BulkPage,
  Callback,
  CallbackFilter,
  CallbackPage,
  CallbackQuery,
  OperatorListQuery,
  OperatorTask,
  OperatorTaskChanges,
  OperatorTaskDetail,
  OperatorTaskFilter,
  OperatorTaskPage,
  PageQuery,
  ReplayResult,
  ServiceChanges,
  ServiceState,
  WorkerLoad,
} from '../protocol/operator.types.js';
import type { Overview, Stats, StatsQuery } from '../protocol/overview.types.js';
import type { Removal } from '../protocol/user-answers.types.js';
import { OperatorBatchClient } from './batch-client.js';
import { BulkClient } from './bulk-client.js';
import { OperatorScheduleClient } from './schedule-client.js';
import type { RequestOptions, Transport } from './transport.js';

/** The routes for operators. A change is only repeated if the queue has surely not received it. */
export class OperatorClient {
  /** Changes of many tasks. */
  readonly bulks: BulkClient<OperatorTaskFilter>;
  /** Schedules of all owners. */
  readonly schedules: OperatorScheduleClient;
  /** Batches of all owners. */
  readonly batches: OperatorBatchClient;

  constructor(
    private readonly transport: Transport,
    private readonly uri: string,
    /** Status CANCELLED. */
    cancelled: number,
  ) {
    this.bulks = new BulkClient(transport, `${uri}/bulk`);
    this.schedules = new OperatorScheduleClient(transport, `${uri}/schedules`);
    this.batches = new OperatorBatchClient(transport, `${uri}/batches`, cancelled);
  }

  /** What is in the queue and what happened in it, by service. */
  overview(options: RequestOptions = {}): Promise<Overview> {
    return this.get('/overview', {}, options);
  }

  /** What happened, as a series for a chart. */
  stats(query: StatsQuery = {}, options: RequestOptions = {}): Promise<Stats> {
    return this.get('/stats', query, options);
  }

  /** Tasks of all owners, newest first. A page may be empty although there are more: see `nextCursor`. */
  list(query: OperatorListQuery = {}, options: RequestOptions = {}): Promise<OperatorTaskPage> {
    // A thousand ids do not fit into a URL.
    return this.transport.send({ method: 'POST', path: `${this.uri}/tasks/list`, body: query, ...options });
  }

  /** Everything of one task. */
  task(taskId: string, options: RequestOptions = {}): Promise<OperatorTaskDetail> {
    return this.get(`/tasks/${encodeURIComponent(taskId)}`, {}, options);
  }

  /** Runs a task again, makes it ready, cancels it, or changes its priority. */
  update(taskId: string, changes: OperatorTaskChanges, options: RequestOptions = {}): Promise<OperatorTask> {
    return this.change('PUT', `/tasks/${encodeURIComponent(taskId)}`, changes, options);
  }

  /** Deletes tasks, except those that a worker holds. */
  remove(ids: string[], options: RequestOptions = {}): Promise<Removal> {
    return this.change('DELETE', '/tasks', { ids }, options);
  }

  /** The bulks of the last 7 days, newest first. */
  listBulks(query: PageQuery = {}, options: RequestOptions = {}): Promise<BulkPage> {
    return this.get('/bulk', query, options);
  }

  /** What operators have set for services. */
  async services(options: RequestOptions = {}): Promise<ServiceState[]> {
    return (await this.get<{ list: ServiceState[] }>('/services', {}, options)).list;
  }

  /** Pauses or resumes a service. An empty text removes `pausedUntil` or `note`. */
  setService(service: string, changes: ServiceChanges, options: RequestOptions = {}): Promise<ServiceState> {
    return this.change('PUT', `/services/${encodeURIComponent(service)}`, changes, options);
  }

  /** Callbacks, newest first. */
  callbacks(query: CallbackQuery = {}, options: RequestOptions = {}): Promise<CallbackPage> {
    return this.get('/callbacks', query, options);
  }

  /** Delivers a callback again. */
  replayCallback(id: string, options: RequestOptions = {}): Promise<Callback> {
    return this.change('POST', `/callbacks/${encodeURIComponent(id)}/replay`, {}, options);
  }

  /** Delivers up to 1,000 callbacks again, by default dead ones. */
  replayCallbacks(filter: CallbackFilter = {}, options: RequestOptions = {}): Promise<ReplayResult> {
    return this.change('POST', '/callbacks/replay', filter, options);
  }

  /** Who holds tasks now, most first. */
  async workers(options: RequestOptions = {}): Promise<WorkerLoad[]> {
    return (await this.get<{ list: WorkerLoad[] }>('/workers', {}, options)).list;
  }

  private get<T>(path: string, query: object, options: RequestOptions): Promise<T> {
    return this.transport.send({ method: 'GET', path: this.uri + path, query, ...options });
  }

  private change<T>(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: object,
    options: RequestOptions,
  ): Promise<T> {
    return this.transport.send({ method, path: this.uri + path, body, once: true, ...options });
  }
}
