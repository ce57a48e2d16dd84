import type { Task } from '../contract/task.entity.js';
import type { Dialect } from '../database/dialects/dialect.js';
import type { Service } from '../polling/poller.js';
import type { Queue } from '../queue/queue.js';
import type { WaitingRoom } from '../queue/waiting/waiting-room.js';
import { Pauses } from './pauses.js';
import { ServiceStore } from './service.store.js';
import { Services } from './services.js';

/** The control of the flow of a running queue. */
export interface FlowRoom {
  services: Services;
  /** What runs while the queue does. */
  running: Service[];
}

/**
 * Adds it to a queue that has been opened. Before the first claim it reads which services are paused. Only processes
 * with `isWatched` look for pauses that others set.
 */
export async function openFlow<T extends Task>(
  { database, gates }: Queue<T>,
  dialect: Dialect,
  waiting: WaitingRoom,
  isWatched: boolean,
): Promise<FlowRoom> {
  const store = new ServiceStore(dialect);
  const pauses = new Pauses(database, store, gates, () => waiting.look());
  if (isWatched) await pauses.run();
  return { services: new Services(database, store, pauses), running: isWatched ? [pauses] : [] };
}
