import { TaskError } from '../../contract/errors.js';
import type { Task } from '../../contract/task.entity.js';
import { ALONE, type Command, done, failed, type Outcome, type Size } from '../../database/group-commit.js';
import type { KeyEntry } from '../stores/key.store.js';
import type { NewRow } from '../stores/task.store.js';
import { transaction } from '../../database/database.js';
import type { Script } from '../../database/transaction.js';
import { spaceOf } from '../answer-room.js';
import type { QueueEvent } from '../events.js';
import { eventsOf } from '../hooks.js';
import { TaskIds } from '../ids.js';
import { check, invalid, within } from '../../validation/invalid.js';
import { type InTransaction, type Queue, runGrouped } from '../queue.js';
import { ownColumns } from '../own-columns.js';
import { type OwnerQuotas, quotasOf, Quotas } from '../owner-quota.js';
import { checkKey, conflict, gone, keyOf } from './create-key.js';
import { blankRow, CREATED, countOwners } from './new-row.js';
import type { CreateOrder, Idempotent, NewTask, Part, TaskMarks, Traced } from './new-task.js';
import { answerRepeated } from './repeat-create.js';
import {
  correctKey,
  type CreateResult,
  CreateResults,
  isAccepted,
  newRows,
  settle,
  waitingFor,
} from './settle-create.js';
import { uniqueColumns } from '../unique.js';
import { uniquesOf } from '../unique-id.js';
import { traced } from './traced-create.js';
import { UniqueHolders } from './unique-holders.js';
import { BOUNDS, timeOf, userIdRule } from '../../validation/rules.js';
import { uniqueRule } from '../../validation/unique.rule.js';
import { checkStatus, checkWritten } from '../../validation/task.rules.js';

export type { CreateOrder, Idempotent, NewTask, Part, TaskMarks, Traced } from './new-task.js';

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
    if (where.manager) await this.prepareForeign(order);
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
      within(place(index), () => Object.assign(this.toRow(task), marks, marksOf?.(index))),
    );
    await this.admit(rows, place);
    const owners = countOwners(given);
    if (idempotencyKey !== undefined) checkKey(idempotencyKey, owners);
    const key = idempotencyKey === undefined ? undefined : keyOf(idempotencyKey, given, rows);
    const limits = await quotasOf(queue.settings, owners.keys());
    const uniques = uniquesOf(rows, given);
    return { given, rows, owners, limits, key, uniques, isForeign: false, space: spaceOf(given[0]) };
  }

  *script(orders: CreateOrder<T>[]): Script<Outcome<CreateResult<T>>[]> {
    const { queue } = this;
    const { keys, tasks } = queue;
    for (const { space } of orders) space.clear();
    const known = yield* keys.known(orders.flatMap(({ key }) => (key ? [key.id] : [])));
    const knownTo = ({ key }: CreateOrder<T>): KeyEntry | undefined => key && known.get(key.id);
    const waiting = orders.length === 1 ? new Set() : yield* waitingFor(queue, orders, quotasOfAll(orders));
    const fresh = orders.filter((order) => !knownTo(order) && !waiting.has(order));
    // The key comes first: if another process handles the same one, this waits for it here, before it counts in a
    // quota.
    const { idempotencyTtl: seconds } = queue.settings;
    yield* keys.add(fresh.flatMap(({ key }) => (key ? { ...key, seconds } : [])));
    const quotas = yield* Quotas.lock(queue, quotasOfAll(fresh));
    const holders = yield* UniqueHolders.lock(queue, fresh);
    const settled = new Map(fresh.map((order) => [order, settle(order, holders, quotas)]));
    for (const [{ key }, settlement] of settled) if (key) yield* correctKey(keys, key, settlement);
    const replaced = yield* holders.write();
    const accepted = [...settled.values()].filter(isAccepted);
    const made = yield* tasks.insert(accepted.flatMap(newRows));
    yield* queue.hooks.changed([...this.eventsOf(made), ...replaced.flatMap(({ event }) => event ?? [])]);
    const results = new CreateResults(made, replaced);
    const answers = yield* answerRepeated(
      tasks,
      orders.flatMap(({ key, space }) => {
        const entry = key && known.get(key.id);
        return entry && entry.fingerprint === key.fingerprint ? [{ entry, space }] : [];
      }),
    );
    return orders.map((order) => {
      const entry = knownTo(order);
      const answer = entry && answers.get(entry);
      if (entry && !answer) return failed(conflict());
      if (answer instanceof TaskError) return failed(answer);
      if (answer) return done({ isNew: false, tasks: answer, made: [], replaced: [] });
      const settlement = settled.get(order);
      if (!settlement) return ALONE;
      if (!isAccepted(settlement)) return settlement;
      return done(results.of(settlement));
    });
  }

  /**
   * Creates a task in a transaction of a capability, whose settings were checked before. No quota refuses it. Returns
   * the events for after the commit. INVALID_PARAM.
   */
  *follow(task: NewTask<T>, marks: TaskMarks = {}): Script<QueueEvent<T>[]> {
    const events = this.eventsOf(yield* this.queue.tasks.insert([Object.assign(this.toRow(task), marks)]));
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

  /** Tells the hooks of new tasks, and of those that were replaced, after the commit. */
  committed({ made, replaced }: Pick<CreateResult<T>, 'made' | 'replaced'>): void {
    const { hooks, lifeCycle, ready } = this.queue;
    hooks.committed(this.eventsOf(made));
    for (const { task, event } of replaced) {
      if (event) hooks.committed([event]);
      else hooks.edited(task);
      // It may now stand before a task that was the first.
      if (task.status === lifeCycle.status.BEGIN) ready.madeReady(task);
    }
  }

  /**
   * Rows of unique keys that are committed before the host's transaction begins to hold them: other creates of these
   * keys see that they have to wait, and do so alone. SQLite has one writer, so there is nothing to see.
   */
  private async prepareForeign(order: CreateOrder<T>): Promise<void> {
    const { database, keys } = this.queue;
    order.isForeign = true;
    if (order.uniques.size === 0 || database.oneWriter) return;
    const takers = new Map([...order.uniques].map(([taskId, { id }]) => [id, taskId]));
    await transaction(database, () => keys.prepare(takers));
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
    const values: Record<string, unknown> = service === task.service ? task : Object.assign({}, task, { service });
    checkWritten('create', values);
    if (task.unique !== undefined) check('unique', task.unique, uniqueRule);
    if (runAt !== undefined && status === lifeCycle.status.INIT)
      throw invalid([{ field: 'runAt', rule: 'draft', msg: `runAt is for tasks that run; omit status ${status}` }]);
    const row = Object.assign(blankRow(), ownColumns(values));
    for (const name of CREATED) row[name] = values[name];
    if (task.unique) Object.assign(row, uniqueColumns(task.unique));
    return Object.assign(row, {
      taskId: this.ids.next(),
      userId,
      runAt: timeOf(runAt),
      status: runAt === undefined ? (status ?? settings.initialStatus) : lifeCycle.status.BEGIN,
    });
  }
}

const quotasOfAll = <T extends Task>(orders: CreateOrder<T>[]): OwnerQuotas =>
  new Map(orders.flatMap(({ limits }) => [...limits]));
