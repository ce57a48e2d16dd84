import type { Task } from '../contract/task.entity.js';
import type { Dialect } from '../database/dialects/dialect.js';
import type { Service } from '../polling/poller.js';
import type { QueueEventType } from '../queue/events.js';
import type { Queue } from '../queue/queue.js';
import type { WaitingRoom } from '../queue/waiting/waiting-room.js';
import { controlsFlow, type FlowValues } from './flow.options.js';
import { ServiceLimits } from './limits.js';
import { ServiceStore } from './service.store.js';
import { Services } from './services.js';
import { SettingsLook } from './settings-look.js';

/** Events of tasks that may have run until then. */
const ENDS: ReadonlySet<QueueEventType> = new Set(['finished', 'failed', 'waiting', 'ready', 'cancelled']);

/** The control of the flow of a running queue. */
export interface FlowRoom {
  services: Services;
  /** What runs while the queue does. */
  running: Service[];
}

/**
 * Adds it to a queue that has been opened. It is on if somebody may operate the queue, or if option `services` names a
 * service: then it reads the settings before the first claim, and looks for changes by others. A process where it is
 * off pays nothing, and obeys no setting until one of its workers pauses a service.
 */
export async function openFlow<T extends Task>(
  { database, gates, hooks, lifeCycle, ready }: Queue<T>,
  dialect: Dialect,
  waiting: WaitingRoom,
  { services, isOperated }: FlowValues & { isOperated: boolean },
): Promise<FlowRoom> {
  const store = new ServiceStore(dialect, lifeCycle.status);
  const limits = new ServiceLimits(
    store,
    services,
    () => waiting.look(),
    (service, turns) => ready.hasRoom(service, turns),
  );
  const look = new SettingsLook(database, store, gates, limits, () => waiting.look());
  const isOn = controlsFlow({ services, isOperated });
  if (isOn) {
    gates.limits = limits;
    // A task that no longer runs makes room for one that waits.
    hooks.afterCommit.push(({ type, task }) => {
      if (ENDS.has(type) && limits.isFreedByEnds((task as T).service)) waiting.look();
    });
    await look.run();
  }
  const room = new Services(database, store, look, limits);
  gates.pause = (service, seconds, workerId) => room.pauseFor(service, seconds, workerId);
  return { services: room, running: [isOn ? look : { stop: () => look.stop() }] };
}
