import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';
import { TaskIds } from '../core/ids.js';
import type { LifeCycle } from '../core/life-cycle.js';
import type { CallbackStore, NewCallback } from '../store/callback.store.js';
import type { Script } from '../store/transaction.js';
import { CALLBACK_TYPES } from './callback.js';
import type { Targets } from './targets.js';

/** Bytes of one notice: what every server takes in one packet, with room for what shares it. */
const MOST_BYTES = 8_000_000;

/** Notices of tasks that have ended, written in the transaction that ends them: both are there, or neither. */
export class Outbox<T extends Task> {
  private readonly logger = new Logger('TaskModule');
  private readonly ids = new TaskIds();

  constructor(
    private readonly store: CallbackStore,
    private readonly targets: Targets<T>,
    private readonly lifeCycle: LifeCycle,
    /** Without it, nothing is written. */
    readonly isOpen: boolean,
  ) {}

  /** Each end is a notice of its own, with an id of its own: a task that runs again and ends again is told of again. */
  *add(ended: T[]): Script<void> {
    if (this.isOpen) yield* this.store.insert(ended.flatMap((task) => this.notice(task) ?? []));
  }

  /** What a host's own code spoils is said, and keeps no task from its end. */
  private notice(task: T): NewCallback | undefined {
    try {
      const target = this.targets.of(task);
      if (!target) return undefined;
      const type = CALLBACK_TYPES[this.lifeCycle.phase(task.status) as keyof typeof CALLBACK_TYPES];
      const timestamp = (task.finishedAt ?? new Date()).toISOString();
      const body = JSON.stringify({ type, timestamp, data: { ...task.toResponse(), callbackUrl: target.url } });
      const bytes = Buffer.byteLength(body);
      if (bytes > MOST_BYTES) throw new RangeError(`a notice of ${bytes} bytes: at most ${MOST_BYTES} can be sent`);
      return { id: this.ids.next(), taskId: task.taskId, type, ...target, body };
    } catch (error) {
      this.logger.error(
        `task ${task.taskId} has ended without a callback, which could not be made`,
        error instanceof Error ? error.stack : error,
      );
      return undefined;
    }
  }
}
