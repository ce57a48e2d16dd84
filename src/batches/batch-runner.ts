import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import { type Job, Poller, type Service } from '../polling/poller.js';
import type { QueueEvent } from '../queue/events.js';
import { eventsOf } from '../queue/hooks.js';
import type { Queue } from '../queue/queue.js';
import { dependencyFailed, type Transition, unblocked } from '../queue/transitions.js';
import { changeMany } from '../queue/use-cases/change-many.js';
import type { BatchCounter } from './batch-counter.js';
import type { BatchEnd } from './batch-end.js';
import { type BatchStore, CANCELLED, CANCELLING } from './batch.store.js';
import { type Member, type MemberStore, OUTCOME, type Outcome, STEP } from './member.store.js';

/** Batches of one look, and tasks of one transaction. */
const BATCHES = 20;
const CHUNK = 200;
/** Seconds for which a process has a batch for itself. Two at once do no harm, but the same work. */
const LEASE = 10;

/**
 * Does what the ends of tasks ask of the other tasks of their batch: runs those that waited for them, or lets them fail,
 * and cancels the rest of a batch. The transaction that ends a task writes down what is to be done, so that it happens
 * also after kill -9, and locks no other task. Also finds what plain SQL has ended.
 */
export class BatchRunner<T extends Task> implements Job, Service {
  readonly name = 'working off batches';
  readonly interval = { shortest: 200, longest: 5000 };
  private readonly poller = new Poller(this);

  constructor(
    private readonly queue: Queue<T>,
    private readonly stores: { batches: BatchStore; members: MemberStore },
    private readonly counter: BatchCounter<T>,
    private readonly end: BatchEnd<T>,
    /** Looks as long as the queue runs. Otherwise only while a batch is open. */
    private readonly isWatching: boolean,
  ) {}

  start(): void {
    this.poller.start();
  }

  wake(): void {
    this.poller.start();
    this.poller.again();
  }

  stop(): Promise<void> {
    return this.poller.stop();
  }

  async run(isOver: () => boolean): Promise<boolean> {
    const { database } = this.queue;
    const { batches } = this.stores;
    const due = await reading(database, () => batches.due(BATCHES));
    for (const id of due) {
      if (isOver()) break;
      if (await transaction(database, () => batches.take(id, LEASE))) await this.workOff(id, isOver);
    }
    if (due.length === 0 && !this.isWatching && !(await reading(database, () => batches.hasOpen()))) this.poller.rest();
    return due.length > 0;
  }

  private async workOff(batchId: string, isOver: () => boolean): Promise<void> {
    let hasWorked = false;
    while (!isOver()) {
      const todo = await reading(this.queue.database, () => this.stores.members.todo(batchId, CHUNK));
      if (todo.length === 0) break;
      hasWorked = true;
      const leading = todo.filter((member) => member.todo === STEP.tell);
      if (leading.length > 0) await transaction(this.queue.database, () => this.tell(batchId, leading));
      else await this.settle(batchId, todo);
    }
    hasWorked = (await this.cancelRest(batchId, isOver)) || hasWorked;
    if (!hasWorked && !isOver()) await this.repair(batchId);
    await transaction(this.queue.database, () => this.leave(batchId));
  }

  /** Tells the tasks that wait for these that they have ended. Locks no task. */
  private *tell(batchId: string, leading: Member[]): Script<void> {
    const { batches, members } = this.stores;
    const [batch] = yield* batches.lock([batchId]);
    if (!batch) return;
    // A task may have run again since.
    const found = yield* members.find(leading);
    const ended = new Map(
      found
        .filter(({ outcome, leads, todo }) => outcome !== null && leads && todo === STEP.tell)
        .map((member) => [member.taskId, member]),
    );
    if (ended.size > 0) {
      const edges = yield* members.dependents(batchId, [...ended.keys()]);
      const told = new Map<string, number>();
      for (const { taskId } of edges) told.set(taskId, (told.get(taskId) ?? 0) + 1);
      const alike = new Map<number, string[]>();
      for (const [taskId, count] of told) alike.set(count, [...(alike.get(count) ?? []), taskId]);
      for (const [count, taskIds] of alike) yield* members.release(batchId, taskIds, count);
      const doomed = edges.filter(({ needs }) => ended.get(needs)!.outcome !== OUTCOME.finished);
      yield* members.doom(batchId, [...new Set(doomed.map(({ taskId }) => taskId))]);
    }
    yield* members.told(
      batchId,
      leading.map(({ taskId }) => taskId),
    );
  }

  /** Runs tasks that waited, or lets them fail. */
  private async settle(batchId: string, waiting: Member[]): Promise<void> {
    const { hooks, database } = this.queue;
    const ids = waiting.map(({ taskId }) => taskId).sort();
    hooks.committed(await transaction(database, () => this.settleIn(batchId, ids)));
  }

  private *settleIn(batchId: string, ids: string[]): Script<QueueEvent<T>[]> {
    const { tasks, hooks, lifeCycle } = this.queue;
    const { members } = this.stores;
    yield* tasks.lockAll(ids);
    // Its owner may have made a task ready, or have cancelled it. Another process may have run it.
    const blocked = (yield* tasks.findAll(ids)).filter(
      ({ status, runAt }) => status === lifeCycle.status.WAITING && runAt === null,
    );
    const found = yield* members.find(blocked.map(({ taskId }) => ({ batchId, taskId })));
    const events: QueueEvent<T>[] = [];
    const moves: [todo: number, move: Transition][] = [
      [STEP.run, unblocked({}, lifeCycle)],
      [STEP.fail, dependencyFailed({}, lifeCycle)],
    ];
    for (const [todo, { values, event }] of moves) {
      const own = found.filter((member) => member.todo === todo).map(({ taskId }) => taskId);
      events.push(...eventsOf(event!, yield* tasks.update(own, values)));
    }
    yield* hooks.changed(events);
    yield* members.done(batchId, ids, [STEP.run, STEP.fail]);
    return events;
  }

  /** Cancels what has not ended, if the batch is to be cancelled. */
  private async cancelRest(batchId: string, isOver: () => boolean): Promise<boolean> {
    const { database } = this.queue;
    const { batches, members } = this.stores;
    const batch = await reading(database, () => batches.find(batchId));
    if (batch?.cancelling !== CANCELLING) return false;
    for (let last: string | undefined = ''; last !== undefined && !isOver();) {
      const after: string = last;
      const ids = await reading(database, () => members.open(batchId, after, CHUNK));
      if (ids.length > 0)
        await changeMany(this.queue, ids, { action: 'cancel' }, function* () {
          return true;
        });
      last = ids.length < CHUNK ? undefined : ids.at(-1);
    }
    return true;
  }

  /** Counts tasks that plain SQL has ended or deleted. */
  private async repair(batchId: string): Promise<void> {
    const { database, lifeCycle, hooks } = this.queue;
    const { members } = this.stores;
    for (let isFull = true; isFull;) {
      const ids = await reading(database, () => members.uncounted(batchId, lifeCycle.endedStatuses, CHUNK));
      isFull = ids.length === CHUNK;
      if (ids.length === 0) return;
      const { events } = await transaction(database, () => this.repairIn(batchId, ids.sort()));
      hooks.committed(events);
    }
  }

  private *repairIn(batchId: string, ids: string[]): ReturnType<BatchCounter<T>['repair']> {
    const { tasks, lifeCycle } = this.queue;
    const statuses = new Map((yield* tasks.lockAll(ids)).map(({ id, status }) => [id, status]));
    const outcomes: Partial<Record<string, Outcome>> = {
      FINISHED: OUTCOME.finished,
      ERROR: OUTCOME.failed,
      CANCELLED: OUTCOME.cancelled,
    };
    const ended = ids.flatMap((taskId) => {
      const status = statuses.get(taskId);
      const outcome = status === undefined ? OUTCOME.cancelled : outcomes[lifeCycle.phase(status)];
      return outcome === undefined ? [] : [{ batchId, taskId, outcome }];
    });
    return yield* this.counter.repair(ended);
  }

  /** Says when to look again: at once, if something came up meanwhile. */
  private *leave(batchId: string): Script<void> {
    const { batches, members } = this.stores;
    const [batch] = yield* batches.lock([batchId]);
    if (!batch || batch.endedAt !== null) return;
    const hasTodo = (yield* members.todo(batchId, 1)).length > 0;
    const isCancelling = batch.cancelling === CANCELLING;
    const hasOpen = isCancelling && (yield* members.open(batchId, '', 1)).length > 0;
    const cancelling = isCancelling && !hasOpen ? CANCELLED : batch.cancelling;
    yield* this.end.save({ ...batch, cancelling }, hasTodo || hasOpen);
  }
}
