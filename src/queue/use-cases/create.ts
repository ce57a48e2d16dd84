import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import type { Given } from '../../contract/given.js';
import type { NewTask as NewTaskOnWire } from '../../protocol/wire.types.js';
import { TASK_COLUMNS, writtenFields } from '../../contract/task.fields.js';
import { ALONE, type Command, done, failed, type Outcome, type Size } from '../../database/group-commit.js';
import type { KeyEntry } from '../stores/key.store.js';
import type { NewRow } from '../stores/task.store.js';
import type { Script } from '../../database/transaction.js';
import { type AnswerSpace, spaceOf } from '../answer-room.js';
import type { QueueEvent } from '../events.js';
import { traced } from '../traced-create.js';
import { eventsOf } from '../hooks.js';
import { TaskIds } from '../ids.js';
import { check, invalid, within } from '../../validation/invalid.js';
import { type InTransaction, type Queue, runGrouped } from '../queue.js';
import { type OwnerQuotas, quotasOf, Quotas } from '../owner-quota.js';
import { checkKey, conflict, gone, keyOf } from './create-key.js';
import { answerRepeated, roomFor } from './repeat-create.js';
import { BOUNDS, timeOf, userIdRule } from '../../validation/rules.js';
import { checkWritten } from '../../validation/task.rules.js';

/** Values for the columns that a host's entity adds. */
export type OwnColumns<T extends Task> = Partial<Omit<T, keyof Task>>;

/** A new task. Its `priority` may be any: option `userPriority` is for users and does not bind callers of this. */
export type NewTask<T extends Task = Task> = OwnColumns<T> &
  Pick<NewTaskOnWire, 'input'> &
  Given<Omit<NewTaskOnWire, 'input' | 'runAt'>> & {
    /** The owner, at most 255 characters. */
    userId: string;
    /** WAITING until this time, then ready: a Date, or ISO 8601 with its zone. */
    runAt?: Date | string | undefined;
  };

/** Where a call comes from. */
export interface Traced {
  /**
   * The `traceparent` of the caller, as the W3C writes it. It counts where no span is active here. A malformed one counts
   * as absent.
   */
  traceparent?: string | undefined;
}

export interface Idempotent {
  /** The same key of the same owner with the same content returns the tasks that it created first. */
  idempotencyKey?: string | undefined;
}

/** What capabilities write on a new task, beside what its caller gives. */
export type TaskMarks = Partial<Pick<Task, 'scheduleKey' | 'scheduledFor' | 'batchId' | 'status'>>;

/** A part of a longer list of tasks. */
export interface Part {
  /** Where its first task stands in the list. @defaultValue 0 */
  from?: number;
  /** Whether problems name the place in the list. @defaultValue if there is more than one task */
  isList?: boolean;
  /** Marks of a single task, by its place in the part. */
  marksOf?: (index: number) => TaskMarks;
}

/** One call to create, checked and ready for the database. */
export interface CreateOrder<T extends Task> {
  given: NewTask<T>[];
  rows: NewRow[];
  /** How many tasks each owner gets. */
  owners: Map<string, number>;
  limits: OwnerQuotas;
  key: KeyEntry | undefined;
  /** The space of the answer. */
  space: AnswerSpace;
}

export interface CreateResult<T extends Task> {
  /** Created now, and not a repeated answer. */
  isNew: boolean;
  tasks: T[];
}

/** Creates tasks: all tasks of one call, or none. */
export class Creation<T extends Task> implements Command<CreateOrder<T>, CreateResult<T>> {
  private readonly ids = new TaskIds();

  constructor(private readonly queue: Queue<T>) {}

  async create(
    given: NewTask<T>[],
    { idempotencyKey, traceparent, ...where }: InTransaction & Idempotent & Traced,
    marks: TaskMarks = {},
  ): Promise<T[]> {
    const { queue } = this;
    if (given.length === 0) return [];
    const order = await this.order(given, { idempotencyKey }, marks);
    return traced(queue.traces, order.rows, traceparent, async () => {
      const { isNew, tasks } = await runGrouped(queue, where, this, order, (made) => this.committed(made));
      return isNew || tasks.length === given.length ? tasks : gone();
    });
  }

  /** Checks a call. What it returns goes to `script`, also in a transaction of a capability. */
  async order(
    given: NewTask<T>[],
    { idempotencyKey }: Idempotent = {},
    marks: TaskMarks = {},
    { from = 0, isList = given.length > 1, marksOf }: Part = {},
  ): Promise<CreateOrder<T>> {
    const { queue } = this;
    const place = (index: number): string => (isList ? `[${from + index}].` : '');
    if (given.length > BOUNDS.creates)
      throw invalid([{ field: 'body', rule: 'arrayMaxSize', msg: `body must have at most ${BOUNDS.creates} tasks` }]);
    const rows = given.map((task, index) =>
      within(place(index), () => ({ ...this.toRow(task), ...marks, ...marksOf?.(index) })),
    );
    await this.admit(rows, place);
    const owners = countOwners(given);
    if (idempotencyKey !== undefined) checkKey(idempotencyKey, owners);
    const key = idempotencyKey === undefined ? undefined : keyOf(idempotencyKey, given, rows);
    const limits = await quotasOf(queue.settings, owners.keys());
    return { given, rows, owners, limits, key, space: spaceOf(given[0]) };
  }

  *script(orders: CreateOrder<T>[]): Script<Outcome<CreateResult<T>>[]> {
    const { keys, tasks } = this.queue;
    const known = yield* keys.known(orders.flatMap(({ key }) => (key ? [key.id] : [])));
    const knownTo = ({ key }: CreateOrder<T>): KeyEntry | undefined => key && known.get(key.id);
    const held = orders.length === 1 ? new Set() : yield* Quotas.held(this.queue, quotasOfAll(orders));
    // A create that has to wait for its owner's lock must not delay the others.
    const waits = ({ owners }: CreateOrder<T>): boolean => [...owners.keys()].some((owner) => held.has(owner));
    const fresh = orders.filter((order) => !knownTo(order) && !waits(order));
    // The key comes first: if another process handles the same one, this waits for it here, before it counts in a
    // quota.
    const { idempotencyTtl: seconds } = this.queue.settings;
    yield* keys.add(fresh.flatMap(({ key }) => (key ? { ...key, seconds } : [])));
    const quotas = yield* Quotas.lock(this.queue, quotasOfAll(fresh));
    const refusals = new Map(fresh.map((order) => [order, roomFor(order) ?? quotas.take(order.owners)]));
    for (const [{ key }, refusal] of refusals) if (key && refusal) yield* keys.drop(key);
    const made = yield* tasks.insert(fresh.filter((order) => !refusals.get(order)).flatMap(({ rows }) => rows));
    yield* this.queue.hooks.changed(this.eventsOf(made));
    const byId = new Map(made.map((task) => [task.taskId, task]));
    const repeated = orders.filter(({ key }) => key && known.get(key.id)?.fingerprint === key.fingerprint);
    const answers = yield* answerRepeated(
      tasks,
      repeated.map(({ key, space }) => ({ entry: known.get(key!.id)!, space })),
    );
    return orders.map((order) => {
      const entry = knownTo(order);
      const answer = entry && answers.get(entry);
      if (entry && !answer) return failed(conflict());
      if (answer) return answer instanceof TaskError ? failed(answer) : done({ isNew: false, tasks: answer });
      if (waits(order)) return ALONE;
      const refusal = refusals.get(order);
      return refusal ? failed(refusal) : done({ isNew: true, tasks: order.rows.map((row) => byId.get(row.taskId)!) });
    });
  }

  /**
   * Creates a task in a transaction of a capability, whose settings were checked before. No quota refuses it. Returns
   * the events for after the commit. INVALID_PARAM.
   */
  *follow(task: NewTask<T>, marks: TaskMarks = {}): Script<QueueEvent<T>[]> {
    const events = this.eventsOf(yield* this.queue.tasks.insert([{ ...this.toRow(task), ...marks }]));
    yield* this.queue.hooks.changed(events);
    return events;
  }

  keys({ key }: CreateOrder<T>): string[] {
    return key ? [key.id] : [];
  }

  size({ rows, given }: CreateOrder<T>): Size {
    const chars = given.reduce((sum, { input, args }) => sum + input.length + (args?.length ?? 0), 0);
    return { rows: rows.length, chars };
  }

  /** Tells the hooks of a new task, after the commit. */
  committed({ isNew, tasks }: CreateResult<T>): void {
    if (isNew) this.queue.hooks.committed(this.eventsOf(tasks));
  }

  private eventsOf(tasks: T[]): QueueEvent<T>[] {
    const { BEGIN } = this.queue.lifeCycle.status;
    return [
      ...eventsOf('created', tasks),
      ...eventsOf(
        'ready',
        tasks.filter(({ status }) => status === BEGIN),
      ),
    ];
  }

  /** All rows at once, because each may wait for a DNS lookup. Mostly there is nothing to do. */
  private async admit(rows: NewRow[], placeOf: (index: number) => string): Promise<void> {
    const { beforeCreate } = this.queue.hooks;
    const admitOne = async (row: NewRow, place: string): Promise<void> => {
      for (const hook of beforeCreate) {
        const pending = within(place, () => hook(row));
        if (pending) await pending;
      }
    };
    await Promise.all(rows.map((row, index) => admitOne(row, placeOf(index))));
  }

  /** A row that follows all rules. */
  private toRow(task: NewTask<T>): NewRow {
    const { lifeCycle, settings } = this.queue;
    const { userId, service = settings.defaultService, runAt, status } = task;
    check('userId', userId, userIdRule);
    if (status !== undefined) checkStatus(status, lifeCycle.newStatuses);
    const values: Record<string, unknown> = service === task.service ? task : { ...task, service };
    checkWritten('create', values);
    if (runAt !== undefined && status === lifeCycle.status.INIT)
      throw invalid([{ field: 'runAt', rule: 'draft', msg: `runAt is for tasks that run; omit status ${status}` }]);
    const row: Record<string, unknown> = ownColumns(values);
    for (const name of CREATED) row[name] = values[name];
    return Object.assign(row, {
      taskId: this.ids.next(),
      userId,
      runAt: timeOf(runAt),
      status: runAt === undefined ? (status ?? settings.initialStatus) : lifeCycle.status.BEGIN,
    });
  }
}

/** The fields that a create may write. */
const CREATED = writtenFields('create').map(([name]) => name);

const quotasOfAll = <T extends Task>(orders: CreateOrder<T>[]): OwnerQuotas =>
  new Map(orders.flatMap(({ limits }) => [...limits]));

export function checkStatus(status: number, allowed: readonly number[]): void {
  if (!allowed.includes(status))
    throw invalid([{ field: 'status', rule: 'isIn', msg: `status must be one of ${allowed.join(', ')}` }]);
}

/** The values for a host's own columns. The queue's columns are dropped, because only the queue writes them. */
export function ownColumns(values: object): Record<string, unknown> {
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) if (!QUEUE_COLUMNS.has(name)) own[name] = value;
  return own;
}
const QUEUE_COLUMNS: ReadonlySet<string> = new Set(TASK_COLUMNS);

function countOwners(tasks: { userId: string }[]): Map<string, number> {
  const owners = new Map<string, number>();
  for (const { userId } of tasks) owners.set(userId, (owners.get(userId) ?? 0) + 1);
  return owners;
}
