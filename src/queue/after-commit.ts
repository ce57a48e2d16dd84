import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';
import { failureLine } from './failure-line.js';
import type { Queue } from './queue.js';
import type { WaitingRoom } from './waiting/waiting-room.js';

/** What the queue itself does after each commit: waiting claims come first, the host's listeners last. */
export function hangOn<T extends Task>({ hooks, gates, ready, events }: Queue<T>, waiting: WaitingRoom): void {
  const logger = new Logger('TaskModule');
  hooks.afterCommit.push(
    ({ type, task }) => {
      if (type !== 'ready') return;
      ready.madeReady(task);
      if (!gates.isClosed(task.service)) waiting.ready(task);
    },
    ({ type, task }) => {
      if (type === 'failed') logger.warn(failureLine(task));
    },
    (event) => events.tell(event),
  );
}
