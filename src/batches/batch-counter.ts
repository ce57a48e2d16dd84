import type { Task } from '../contract/task.entity.js';
import type { Script } from '../database/transaction.js';
import { ENDS, type QueueEvent } from '../queue/events.js';
import type { TaskState } from '../queue/stores/task.store.js';
import type { BatchEnd } from './batch-end.js';
import { type BatchRow, type BatchStore, CANCELLED, CANCELLING, NOT_CANCELLED } from './batch.store.js';
import { type Member, type MemberId, type MemberStore, OUTCOME, type Outcome } from './member.store.js';

/** What came of the end of a task beside it. It is told after the commit. */
export interface Consequence<T extends Task> {
  /** Events of the tasks that were created. */
  events: QueueEvent<T>[];
  /** There is work for the job that works off batches. */
  hasWork: boolean;
}

/** A task of a batch whose outcome may have changed. null: it runs again. */
interface Change<T extends Task> extends MemberId {
  outcome: Outcome | null;
  /** undefined: the task was deleted. */
  event: QueueEvent<T> | undefined;
}

/**
 * Counts the ends of tasks in the transaction that ends them: their batch is locked, after the tasks, and its counts
 * are written once for all tasks of the transaction. So exactly one transaction finds that all have ended. Each task has
 * its outcome beside it, so that nothing is counted twice.
 */
export class BatchCounter<T extends Task> {
  /** By the task as the transaction wrote it: another run of the script makes other ones. */
  private readonly consequences = new WeakMap<Task, Consequence<T>>();

  constructor(
    private readonly batches: BatchStore,
    private readonly members: MemberStore,
    private readonly end: BatchEnd<T>,
  ) {}

  /** In the transaction that changed the status of these tasks. Tasks without a batch cost nothing. */
  *changed(events: readonly QueueEvent<T>[]): Script<void> {
    const ofBatches = events.filter(({ task }) => typeof task.batchId === 'string');
    if (ofBatches.length === 0) return;
    const created = new Set(ofBatches.filter(({ type }) => type === 'created').map(({ task }) => task.taskId));
    const changes = ofBatches.flatMap((event): Change<T>[] => {
      const { type, task } = event;
      const ids = { batchId: task.batchId!, taskId: task.taskId };
      if (ENDS.includes(type)) return [{ ...ids, outcome: OUTCOME[type as keyof typeof OUTCOME], event }];
      return type === 'ready' && !created.has(task.taskId) ? [{ ...ids, outcome: null, event }] : [];
    });
    yield* this.count(changes);
  }

  /** In the transaction that deletes these tasks: what has not ended counts as cancelled. */
  *removing(tasks: readonly TaskState[]): Script<void> {
    const ofBatches = tasks.filter(({ batchId }) => typeof batchId === 'string');
    if (ofBatches.length === 0) return;
    const ids = ofBatches.map(({ id, batchId }) => ({ batchId: batchId!, taskId: id }));
    const open = (yield* this.members.find(ids)).filter(({ outcome }) => outcome === null);
    yield* this.count(open.map((member) => ({ ...member, outcome: OUTCOME.cancelled, event: undefined })));
  }

  /** Counts tasks that plain SQL ended. The caller has locked those that exist. */
  *repair(ended: (MemberId & { outcome: Outcome })[]): Script<Consequence<T>> {
    return yield* this.count(ended.map((member) => ({ ...member, event: undefined })));
  }

  /** What else happened with the event of this task, once. */
  consequenceOf(task: T): Consequence<T> | undefined {
    const consequence = this.consequences.get(task);
    this.consequences.delete(task);
    return consequence;
  }

  private *count(changes: Change<T>[]): Script<Consequence<T>> {
    const nothing = { events: [], hasWork: false };
    // A task that is ready again mostly was not counted: its attempt failed, or its lease ran out.
    const isSure = changes.some(({ outcome }) => outcome !== null);
    const before = isSure ? undefined : yield* this.members.find(changes);
    if (changes.length === 0 || before?.every(({ outcome }) => outcome === null)) return nothing;
    const batches = yield* this.batches.lock([...new Set(changes.map(({ batchId }) => batchId))]);
    const found = new Map((yield* this.members.find(changes)).map((member) => [member.taskId, member]));
    const real = changes.filter(({ taskId, outcome }) => {
      const member = found.get(taskId);
      return member !== undefined && member.outcome !== outcome;
    });
    for (const outcome of new Set(real.map((change) => change.outcome)))
      yield* this.members.mark(
        real.filter((change) => change.outcome === outcome),
        outcome,
      );
    const all: Consequence<T> = { events: [], hasWork: false };
    for (const batch of batches) {
      const own = real.filter(({ batchId }) => batchId === batch.id);
      if (own.length === 0) continue;
      const { events, hasWork } = yield* this.countIn(batch, own, found);
      all.events.push(...events);
      all.hasWork ||= hasWork;
      const { event } = own.find((change) => change.event) ?? {};
      if (event && (events.length > 0 || hasWork)) this.consequences.set(event.task, { events, hasWork });
    }
    return all;
  }

  private *countIn(batch: BatchRow, changes: Change<T>[], found: ReadonlyMap<string, Member>): Script<Consequence<T>> {
    for (const { taskId, outcome } of changes) {
      const { outcome: before } = found.get(taskId)!;
      if (before !== null) batch[COUNTS[before]] -= 1;
      if (outcome !== null) batch[COUNTS[outcome]] += 1;
    }
    // It opens again, so it can be cancelled again.
    if (batch.cancelling === CANCELLED && changes.some(({ outcome }) => outcome === null))
      batch.cancelling = NOT_CANCELLED;
    const hasFailed = changes.some(({ outcome }) => outcome === OUTCOME.failed);
    if (hasFailed && batch.onFailure === 'cancel' && batch.cancelling === NOT_CANCELLED) {
      batch.cancelling = CANCELLING;
      batch.sealed = true;
    }
    const hasWork =
      batch.cancelling === CANCELLING ||
      changes.some(({ taskId, outcome }) => outcome !== null && found.get(taskId)!.leads);
    const events = yield* this.end.save(batch, hasWork);
    return { events, hasWork };
  }
}

const COUNTS = {
  [OUTCOME.finished]: 'finished',
  [OUTCOME.failed]: 'failed',
  [OUTCOME.cancelled]: 'cancelled',
} as const;
