import type { WorkerTask } from './api.types.js';
import { HttpSource } from './http-source.js';
import { type CloseOptions, Runner, type RunnerOptions, type TaskHandler } from './runner.js';
import { hasSignals, onSignal } from './signals.js';
import { newKey, TaskClient, type TaskClientOptions } from './task-client.js';
import type { WorkerEvents } from './worker-events.js';

/** Of the client's options `timeout` and `retries` are its own affair: it tries on, for as long as leases allow. */
export interface TaskWorkerOptions extends Omit<TaskClientOptions, 'timeout' | 'retries'>, RunnerOptions {
  handler: TaskHandler<WorkerTask>;
  /** Tasks of this service only. */
  service?: string;
  /** Tasks of this group only. */
  group?: string;
  /** Who this is, kept with its tasks: at most 64 characters. @defaultValue host, process and a random part */
  workerId?: string;
  /** Seconds that a claim waits for a task, 0 to 30. @defaultValue 20 */
  wait?: number;
  /**
   * Whether SIGTERM and SIGINT close the worker; a second one, of either kind, ends the process. `false` where the process
   * has handlers of its own, which close it. @defaultValue true, where there are signals
   */
  handleSignals?: boolean;
}

/**
 * A worker: claims tasks over HTTP, runs its handler on up to `concurrency` of them at once, and reports what comes of
 * them. It prints nothing, and never ends the process.
 */
export class TaskWorker {
  readonly workerId: string;
  private readonly runner: Runner<WorkerTask>;

  constructor(private readonly options: TaskWorkerOptions) {
    const { handler, service, group, workerId = defaultId(), wait = 20, lease = 60 } = options;
    if (typeof handler !== 'function') throw new TypeError('handler must be a function');
    this.workerId = workerId;
    const source = new HttpSource(new TaskClient(options), { service, group, workerId, wait, lease });
    this.runner = new Runner(source, handler, options);
  }

  /** Answers how to stop listening. */
  on<E extends keyof WorkerEvents<WorkerTask>>(
    event: E,
    listener: (event: WorkerEvents<WorkerTask>[E]) => void,
  ): () => void {
    return this.runner.events.on(event, listener);
  }

  /**
   * Works until it is closed. Rejects with a TaskApiError where the server refuses this worker (a wrong token, say); a
   * server that is away is waited for.
   */
  async run(): Promise<void> {
    const { handleSignals = hasSignals() } = this.options;
    const ignore = handleSignals ? onSignal(() => void this.close()) : undefined;
    try {
      await this.runner.run();
    } finally {
      ignore?.();
    }
  }

  /**
   * Claims no more, waits for the handlers at work, aborts their signals after `timeout` seconds, and gives back what is
   * not done.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.runner.close(options);
  }
}

/** Short enough for any host's name. */
function defaultId(): string {
  const { env = {}, pid = 0 } = (globalThis.process ?? {}) as Partial<NodeJS.Process>;
  return `${(env.HOSTNAME ?? 'worker').slice(0, 40)}:${pid}:${newKey().slice(0, 8)}`;
}
