import type { WorkerTask } from '../../protocol/wire.types.js';
import { TaskApiError } from '../errors.js';
import { HttpSource } from './http-source.js';
import { handlerProblem } from './outcome.js';
import { Runner, type TaskHandler } from './runner.js';
import type { CloseOptions, RunnerOptions } from './runner.options.js';
import { hasSignals, onSignal } from './signals.js';
import { newKey } from '../new-key.js';
import { TaskClient, type TaskClientOptions } from '../task-client.js';
import type { WorkerEvents } from './worker-events.js';

/**
 * Without the client's `timeout` and `retries`: the worker decides these itself, and tries as long as its leases last.
 */
export interface TaskWorkerOptions extends Omit<TaskClientOptions, 'timeout' | 'retries'>, RunnerOptions {
  handler: TaskHandler<WorkerTask>;
  /** Only tasks of this service. */
  service?: string;
  /** Only tasks of this group. */
  group?: string;
  /** The worker's name, stored with its tasks, at most 64 characters. @defaultValue host, process and a random part */
  workerId?: string;
  /** Seconds that a claim waits for a task, 0 to 30. @defaultValue 20 */
  wait?: number;
  /**
   * Whether SIGTERM and SIGINT close the worker. A second signal of either kind ends the process. Set false if the
   * process has its own handlers that close the worker. @defaultValue true, where there are signals
   */
  handleSignals?: boolean;
}

/**
 * A worker: claims tasks over HTTP, runs its handler on up to `concurrency` of them at once, and reports the results.
 * It prints nothing, and never ends the process.
 */
export class TaskWorker {
  readonly workerId: string;
  private readonly runner: Runner<WorkerTask>;

  constructor(private readonly options: TaskWorkerOptions) {
    const { handler, service, group, workerId = defaultId(), wait = 20, lease = 60 } = options;
    const problem = handlerProblem(handler);
    if (problem) throw new TypeError(`handler ${problem}`);
    this.workerId = workerId;
    const source = new HttpSource(new TaskClient(options), { service, group, workerId, wait, lease });
    this.runner = new Runner(source, handler, options);
  }

  /** Returns a function that stops listening. */
  on<E extends keyof WorkerEvents<WorkerTask>>(
    event: E,
    listener: (event: WorkerEvents<WorkerTask>[E]) => void,
  ): () => void {
    return this.runner.events.on(event, listener);
  }

  /**
   * Works until it is closed. Rejects with a TaskApiError if the server refuses this worker (a wrong token, for
   * example). Waits for a server that is away.
   */
  async run(): Promise<void> {
    const { handleSignals = hasSignals() } = this.options;
    const ignore = handleSignals ? onSignal(() => void this.close()) : undefined;
    try {
      await this.runner.run();
    } catch (error) {
      // If nobody catches it, Node prints it. Frames of this package do not help with a wrong token.
      if (error instanceof TaskApiError) error.stack = `${error.name}: ${error.message}`;
      throw error;
    } finally {
      ignore?.();
    }
  }

  /**
   * Claims no more tasks, waits for the running handlers, aborts their signals after `timeout` seconds, and gives back
   * the tasks that are not done.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.runner.close(options);
  }
}

/** Short enough for the host's name of any length. */
function defaultId(): string {
  const { env = {}, pid = 0 } = (globalThis.process ?? {}) as Partial<NodeJS.Process>;
  return `${(env.HOSTNAME ?? 'worker').slice(0, 40)}:${pid}:${newKey().slice(0, 8)}`;
}
