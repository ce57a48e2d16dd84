import { type TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import type { Script } from '../../database/transaction.js';
import { answerBytes } from '../answer-bytes.js';
import { type AnswerSpace, FULL, tooManyBytes } from '../answer-room.js';
import type { QueueEvent } from '../events.js';
import type { Queue } from '../queue.js';
import type { NewRow, TaskChange } from '../stores/task.store.js';
import { replaced, type Transition } from '../transitions.js';
import { holdsKey } from '../unique.js';
import type { UniqueKey } from '../unique-id.js';
import { contentOf } from './new-row.js';

/** A create, as far as unique keys are concerned. */
export interface UniqueOrder {
  rows: NewRow[];
  /** Id of a row -> the key that it asks for. */
  uniques: ReadonlyMap<string, UniqueKey>;
  /** It runs in a host's transaction, which may see an old state: what decides is read with a lock. */
  isForeign: boolean;
  /** The space of the answer, which shows the tasks that hold the keys. */
  space: AnswerSpace;
}

/** The task that holds a key: a row of the database, or one that this transaction creates. */
type Holder<T extends Task> = { task: T } | { row: NewRow };

/** What becomes of one row of a create: it is new, or another task holds its key. */
export interface Place<T extends Task> {
  row: NewRow;
  holder: Holder<T> | undefined;
  isReplaced: boolean;
}

/** What becomes of the rows of a create, and the keys that they take. */
export interface Settlement<T extends Task> {
  places: Place<T>[];
  taken: Map<string, Holder<T>>;
}

/**
 * Which tasks hold the unique keys of some creates, decided in their order. The keys are locked until the transaction
 * ends, so that creates of one key run one after the other. A claim, a report or an expiry never needs such a lock.
 */
export class UniqueHolders<T extends Task> {
  private readonly holders = new Map<string, Holder<T>>();
  /** Keys whose holders another transaction has locked: their creates run alone. */
  private readonly busy = new Set<string>();
  /** Key -> the task that took it last, as it is stored. */
  private readonly stored = new Map<string, string>();
  private readonly given = new Map<string, string>();
  private readonly changes = new Map<string, TaskChange<T> & Transition>();
  /** Creates whose answers would be too large. */
  readonly refusals = new Map<UniqueOrder, TaskError>();
  private now = new Date();

  private constructor(private readonly queue: Queue<T>) {}

  static *lock<T extends Task>(queue: Queue<T>, orders: UniqueOrder[]): Script<UniqueHolders<T>> {
    const holders = new UniqueHolders<T>(queue);
    const takers = takersOf(orders);
    if (takers.size === 0) return holders;
    for (const [key, taskId] of yield* queue.keys.take(takers)) holders.stored.set(key, taskId);
    const own = new Set(orders.flatMap(({ uniques }) => [...uniques.keys()]));
    const others = [...holders.stored].filter(([, taskId]) => !own.has(taskId));
    if (others.length > 0) yield* holders.read(new Map(others.map(([key, taskId]) => [taskId, key])), orders);
    return holders;
  }

  /** The keys that another transaction has locked, as far as can be seen without waiting. */
  static *held<T extends Task>({ keys }: Queue<T>, orders: UniqueOrder[]): Script<Set<string>> {
    return yield* keys.held([...takersOf(orders).keys()]);
  }

  /** What becomes of the rows of a create. undefined: it has to run alone. */
  settle({ rows, uniques }: UniqueOrder): Settlement<T> | undefined {
    const taken = new Map<string, Holder<T>>();
    const places: Place<T>[] = [];
    for (const row of rows) {
      const unique = uniques.get(row.taskId);
      if (unique && this.busy.has(unique.id)) return undefined;
      const holder = unique && (taken.get(unique.id) ?? this.holders.get(unique.id));
      const isReplaced = holder !== undefined && unique!.isReplacing && this.isReplaceable(holder);
      if (unique && !holder) taken.set(unique.id, { row });
      places.push({ row, holder, isReplaced });
    }
    return { places, taken };
  }

  /** The create takes place: later ones find its tasks. */
  accept({ places, taken }: Settlement<T>): void {
    for (const [key, holder] of taken) {
      this.holders.set(key, holder);
      const { taskId } = (holder as { row: NewRow }).row;
      if (this.stored.get(key) !== taskId) this.given.set(key, taskId);
    }
    for (const { row, holder, isReplaced } of places) {
      if (!isReplaced) continue;
      if ('row' in holder!) Object.assign(holder.row, contentOf(row), { status: row.status });
      else this.replace(holder!.task, row);
    }
  }

  /** Writes what was accepted. Returns the tasks that got other content, with their events. */
  *write(): Script<{ task: T; event: QueueEvent<T> | undefined }[]> {
    const { tasks, keys } = this.queue;
    yield* keys.give(this.given);
    const changes = [...this.changes.values()];
    if (changes.length === 0) return [];
    const written = yield* tasks.updateEach(changes, this.now);
    return written.map((task, place) => {
      const { event } = changes[place]!;
      return { task, event: event && { type: event, task } };
    });
  }

  private *read(keyOf: Map<string, string>, orders: UniqueOrder[]): Script<void> {
    const { queue } = this;
    const ids = [...keyOf.keys()];
    const note = (task: T): boolean => {
      const key = keyOf.get(task.taskId)!;
      if (holdsKey(task, queue.lifeCycle)) this.note(task, key, orders);
      else this.holders.delete(key);
      return true;
    };
    if (orders.some(({ isForeign }) => isForeign)) return yield* this.lockTasks(ids, true, note);
    yield* queue.tasks.each(ids, note);
    const replacing = orders.flatMap(({ uniques }) => [...uniques.values()]).filter(({ isReplacing }) => isReplacing);
    const keys = new Set(replacing.map(({ id }) => id));
    const toLock = ids.filter((id) => keys.has(keyOf.get(id)!) && this.isReplaceable(this.holders.get(keyOf.get(id)!)));
    if (toLock.length === 0) return undefined;
    const locked = new Set<string>();
    const mayWait = orders.length === 1;
    yield* this.lockTasks(toLock, mayWait, (task) => locked.add(task.taskId) && note(task));
    for (const id of toLock.filter((each) => !locked.has(each)))
      if (mayWait) this.holders.delete(keyOf.get(id)!);
      else this.busy.add(keyOf.get(id)!);
    return undefined;
  }

  /** The task holds the key. Every create that asks for the key shows the task in its answer. */
  private note(task: T, key: string, orders: UniqueOrder[]): void {
    const bytes = answerBytes(task);
    let isShown = false;
    for (const order of orders)
      for (const [rowId, { id }] of order.uniques) {
        if (id !== key) continue;
        const refusal = order.space.hold(rowId, bytes);
        if (refusal) this.refusals.set(order, refusal === FULL ? tooManyBytes() : refusal);
        else isShown = true;
      }
    // Not kept in memory for nobody.
    if (!isShown) Object.assign(task, { input: null, args: null, temp: null, output: null, error: null });
    this.holders.set(key, { task });
  }

  private *lockTasks(ids: string[], mayWait: boolean, take: (task: T) => boolean): Script<void> {
    const { rows, now } = yield* this.queue.tasks.lockFree(ids, mayWait);
    if (rows.length > 0) this.now = now;
    yield* this.queue.tasks.longTexts.each(rows, take);
  }

  /** Only a task that no worker has had. What a worker has seen does not change, and is not lost silently. */
  private isReplaceable(holder: Holder<T> | undefined): boolean {
    if (!holder) return false;
    return 'row' in holder || this.queue.lifeCycle.isUntouched(holder.task);
  }

  private replace(task: T, row: NewRow): void {
    const command = { content: contentOf(row), status: row.status, runAt: row.runAt, now: this.now };
    const transition = replaced(task, command, this.queue.rulesOf(task.service));
    this.changes.set(task.taskId, { task, ...transition });
  }
}

/** Key -> the first row that asks for it. */
function takersOf(orders: UniqueOrder[]): Map<string, string> {
  const takers = new Map<string, string>();
  for (const { uniques } of orders) for (const [taskId, { id }] of uniques) if (!takers.has(id)) takers.set(id, taskId);
  return takers;
}
