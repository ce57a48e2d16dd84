import type { Task } from '../protocol/wire.types.js';
import { TaskApiError } from './errors.js';
import { eventsOf } from './event-stream.js';
import { backoff, pause } from './pause.js';

/** A task as it is now, or one that was deleted, or that is not the user's. */
export type WatchEvent = { event: 'task'; task: Task } | { event: 'removed'; taskId: string };

export interface WatchOptions {
  /** Ends the stream: the loop throws the signal's reason. */
  signal?: AbortSignal;
}

/** Milliseconds after which a stream that broke off does not count as a failure. */
const LASTED = 5000;

/** Follows a stream over broken connections, with a back-off. `open` gets the id of the last event. */
export async function* watch(
  open: (lastEventId: string | undefined) => Promise<Response>,
  signal?: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const client = new Watched();
  for (let failures = 0; ;) {
    signal?.throwIfAborted();
    const began = performance.now();
    let retryAfter: number | undefined;
    try {
      for await (const { event, id, data } of eventsOf(await open(client.lastEventId), signal)) {
        for (const found of client.take(event, data)) yield found;
        client.lastEventId = id;
      }
    } catch (error) {
      signal?.throwIfAborted();
      // Reading throws what the system says of a broken connection.
      if (error instanceof TaskApiError && !error.retryable) throw error;
      retryAfter = error instanceof TaskApiError ? error.retryAfter : undefined;
    }
    failures = performance.now() - began > LASTED ? 1 : failures + 1;
    await pause(backoff(failures, retryAfter), signal);
    client.reconnect();
  }
}

/** What the client has been told, so that it is told everything once. */
class Watched {
  lastEventId: string | undefined;
  private readonly tasks = new Set<string>();
  private readonly removed = new Set<string>();
  /** Tasks of the snapshot that is coming in. */
  private snapshot: Set<string> | undefined;

  reconnect(): void {
    this.snapshot = new Set();
  }

  take(event: string, data: unknown): WatchEvent[] {
    switch (event) {
      case 'task': {
        const task = data as Task;
        this.tasks.add(task.taskId);
        this.removed.delete(task.taskId);
        this.snapshot?.add(task.taskId);
        return [{ event, task }];
      }
      case 'removed':
        return this.remove([(data as { taskId: string }).taskId]);
      case 'synced': {
        const { snapshot } = this;
        this.snapshot = undefined;
        if (!snapshot || (data as { resumed: boolean }).resumed) return [];
        return this.remove([...this.tasks].filter((taskId) => !snapshot.has(taskId)));
      }
      default:
        return [];
    }
  }

  private remove(ids: string[]): WatchEvent[] {
    const fresh = ids.filter((taskId) => !this.removed.has(taskId));
    for (const taskId of fresh) {
      this.tasks.delete(taskId);
      this.removed.add(taskId);
    }
    return fresh.map((taskId) => ({ event: 'removed', taskId }));
  }
}
