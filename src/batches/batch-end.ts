import { Logger } from '@nestjs/common';
import type { Task } from '../contract/task.entity.js';
import type { Script } from '../database/transaction.js';
import type { QueueEvent } from '../queue/events.js';
import type { Creation, NewTask } from '../queue/creation/create.js';
import type { BatchState, ThenTask } from './batch.js';
import { type BatchRow, type BatchStore, CANCELLED, CANCELLING, NOT_CANCELLED } from './batch.store.js';

/** What a receiver is told when a batch has ended. */
export interface BatchNotice {
  batchId: string;
  userId: string;
  endedAt: Date;
  /** The batch's own address. null: that of the options. */
  callbackUrl: string | null;
  /** `data` of the JSON. */
  data: Record<string, unknown>;
}

/** Writes a notice in the transaction that ends a batch. */
export type NotifyOfBatch = (notice: BatchNotice) => Script<void>;

/** Seconds between looks at a batch that waits for its tasks. */
const LOOK = 60;

/** Writes a batch whose counts have changed, and ends it if all its tasks have ended. */
export class BatchEnd<T extends Task> {
  private readonly logger = new Logger('TaskModule');

  constructor(
    private readonly store: BatchStore,
    private readonly creation: Creation<T>,
    private readonly notify: NotifyOfBatch,
    /** The status BEGIN. */
    private readonly ready: number,
  ) {}

  /** In the transaction that has locked the batch. Returns the events of the task that its end creates. */
  *save(batch: BatchRow, hasWork: boolean): Script<QueueEvent<T>[]> {
    const hasEnded = batch.sealed && endedOf(batch) >= batch.total;
    if (!hasEnded) {
      yield* this.store.save({ ...batch, endedAt: null }, hasWork ? 0 : LOOK);
      return [];
    }
    const cancelling = batch.cancelling === CANCELLING ? CANCELLED : batch.cancelling;
    const ended = { ...batch, cancelling };
    const events = yield* this.follow(ended);
    const thenTaskId = events[0]?.task.taskId ?? batch.thenTaskId;
    const last = { ...ended, endedAt: yield* this.store.now(), thenTaskId };
    yield* this.store.save(last, null);
    yield* this.notify(noticeOf(last));
    return events;
  }

  /** An end must not fail because of the task that follows it. */
  private *follow(batch: BatchRow): Script<QueueEvent<T>[]> {
    if (batch.thenTask === null) return [];
    try {
      const task = thenOf<T>(JSON.parse(batch.thenTask) as ThenTask<T>, batch.userId, batch.id, stateOf(batch));
      return yield* this.creation.follow(task, { status: this.ready });
    } catch (error) {
      if ((error as { errorName?: string }).errorName !== 'INVALID_PARAM') throw error;
      this.logger.error(`batch ${batch.id} has ended without its \`then\` task: ${(error as Error).message}`);
      return [];
    }
  }
}

export const endedOf = ({ finished, failed, cancelled }: BatchRow): number => finished + failed + cancelled;

export function stateOf(batch: BatchRow): BatchState {
  if (!batch.sealed) return 'open';
  if (endedOf(batch) < batch.total) return 'running';
  if (batch.failed > 0) return 'failed';
  const isCancelled = batch.cancelled > 0 || (batch.total === 0 && batch.cancelling !== NOT_CANCELLED);
  return isCancelled ? 'cancelled' : 'finished';
}

/** The task, with the placeholders of its texts filled in. */
export function thenOf<T extends Task>(
  task: ThenTask<T>,
  userId: string,
  batchId: string,
  batchState: BatchState,
): NewTask<T> {
  const fill = (text: unknown): unknown =>
    typeof text === 'string' ? text.replaceAll('{{batchId}}', batchId).replaceAll('{{batchState}}', batchState) : text;
  const { input, args } = task as { input: unknown; args?: unknown };
  return { ...task, userId, input: fill(input), ...(args === undefined ? {} : { args: fill(args) }) } as NewTask<T>;
}

const noticeOf = (batch: BatchRow & { endedAt: Date }): BatchNotice => ({
  batchId: batch.id,
  userId: batch.userId,
  endedAt: batch.endedAt,
  callbackUrl: batch.callbackUrl,
  data: {
    batchId: batch.id,
    state: stateOf(batch),
    total: batch.total,
    counts: { finished: batch.finished, failed: batch.failed, cancelled: batch.cancelled },
    thenTaskId: batch.thenTaskId,
  },
});
