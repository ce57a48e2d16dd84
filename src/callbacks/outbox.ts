import { Logger } from '@nestjs/common';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { ENDS, type QueueEvent } from '../queue/events.js';
import { TaskIds } from '../queue/ids.js';
import type { LifeCycle } from '../queue/life-cycle.js';
import type { NewCallback } from './callback.rows.js';
import type { CallbackStore } from './callback.store.js';
import type { Script } from '../database/transaction.js';
import { BATCH_CALLBACK, CALLBACK_TYPES } from './callback.js';
import type { CallbackTargets } from './targets/callback-targets.js';

/** The most bytes of one notice: every server takes this in one packet, with room for other statements. */
const MOST_BYTES = 8_000_000;

/** The most ended callbacks of one task that are kept, and the most pending ones with which it may run again. */
const KEPT = 20;

/** The end of a batch. */
export interface BatchNotice {
  batchId: string;
  endedAt: Date;
  /** The batch's own address. null: that of the options. */
  callbackUrl: string | null;
  /** `data` of the JSON. */
  data: Record<string, unknown>;
}

/** Notices of ended tasks, written in the transaction that ends them: both are committed, or neither. */
export class Outbox<T extends Task> {
  private readonly logger = new Logger('TaskModule');
  private readonly ids = new TaskIds();

  constructor(
    private readonly store: CallbackStore,
    private readonly targets: CallbackTargets<T>,
    private readonly lifeCycle: LifeCycle,
  ) {}

  /** Each end of a task is a new notice with a new id: a task that runs again and ends again sends another one. */
  *add(events: readonly QueueEvent<T>[]): Script<void> {
    const ended = events.filter(({ type }) => ENDS.includes(type));
    yield* this.store.insert(ended.flatMap(({ task }) => this.notice(task) ?? []));
  }

  /** A notice of the end of a batch, in the transaction that ends it. */
  *addBatch({ batchId, endedAt, callbackUrl, data }: BatchNotice): Script<void> {
    const target = this.targets.forNotice(callbackUrl);
    if (!target) return;
    const body = JSON.stringify({ type: BATCH_CALLBACK, timestamp: endedAt.toISOString(), data });
    yield* this.store.insert([{ id: this.ids.next(), taskId: batchId, type: BATCH_CALLBACK, ...target, body }]);
  }

  /**
   * Before an ended task runs again: each run ends with one more notice, and users may repeat that. Returns the reason
   * if the task may not run again.
   */
  *room(taskId: string): Script<TaskError | undefined> {
    const pending = yield* this.store.trim(taskId, KEPT);
    if (pending < KEPT) return undefined;
    const msg =
      `${pending} callbacks of this task are not delivered yet; run it again once the receiver has ` +
      'taken them, or create a new task';
    return new TaskError('TOO_MANY_REQUESTS', { msg });
  }

  /** An error in the host's own code is logged, and does not stop the task from ending. */
  private notice(task: T): NewCallback | undefined {
    try {
      const target = this.targets.of(task);
      if (!target) return undefined;
      const type = CALLBACK_TYPES[this.lifeCycle.phase(task.status) as keyof typeof CALLBACK_TYPES];
      const timestamp = (task.finishedAt ?? new Date()).toISOString();
      const body = JSON.stringify({ type, timestamp, data: { ...task.toResponse(), callbackUrl: target.url } });
      const bytes = Buffer.byteLength(body);
      if (bytes > MOST_BYTES)
        throw new RangeError(`the notice has ${bytes} bytes, and at most ${MOST_BYTES} can be sent`);
      return { id: this.ids.next(), taskId: task.taskId, type, ...target, body };
    } catch (error) {
      this.logger.error(
        `task ${task.taskId} has ended without a callback, because the callback could not be built`,
        error instanceof Error ? error.stack : error,
      );
      return undefined;
    }
  }
}
