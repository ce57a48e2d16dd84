import type { Logger } from '@nestjs/common';
import type { TakenCallback } from '../store/callback.store.js';

/** Origins whose trouble is remembered; a host's function may name any number. */
const MOST = 1000;

/** Tells operators how receivers are: once when one begins to fail, once when it works again, and of each dead callback. */
export class Health {
  private readonly troubled = new Set<string>();

  constructor(private readonly logger: Logger) {}

  tell({ id, taskId, origin, attempts }: TakenCallback, next: 'delivered' | 'dead' | number, reason: string): void {
    const { logger, troubled } = this;
    if (next === 'delivered') {
      if (troubled.delete(origin)) logger.log(`callbacks to ${origin} are delivered again`);
      return;
    }
    if (next === 'dead')
      logger.error(
        `callback ${id} of task ${taskId} to ${origin} is dead after ${attempts} ${attempts === 1 ? 'try' : 'tries'}: ` +
          `${reason}. TaskService.callbacks.replay() delivers it anew`,
      );
    else if (!troubled.has(origin)) {
      logger.warn(`callbacks to ${origin} fail, and are tried again: ${reason}`);
      if (troubled.size >= MOST) troubled.clear();
      troubled.add(origin);
    }
  }
}
