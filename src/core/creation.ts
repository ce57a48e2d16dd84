import { ownUrlRule } from '../callback/allow-list.js';
import { TaskError } from '../contract/errors.js';
import { type Task, TASK_COLUMNS } from '../contract/task.entity.js';
import { ALONE, type Batch, done, failed, type Outcome, type Size } from '../store/batcher.js';
import type { KeyEntry } from '../store/key.store.js';
import type { NewRow } from '../store/task.store.js';
import type { Script } from '../store/transaction.js';
import { TaskIds } from './ids.js';
import { check, invalid, within } from './invalid.js';
import { digest, type InTransaction, type Queue, runBatched } from './queue.js';
import { type Limits, limitsOf, Quotas } from './quota.js';
import {
  LIMITS,
  keyRule,
  maxAttemptsRule,
  nameRule,
  priorityRule,
  textRule,
  timeOf,
  timeRule,
  userIdRule,
} from './rules.js';

/** Values for the columns that a host's entity adds. */
export type OwnColumns<T extends Task> = Partial<Omit<T, keyof Task>>;

export type NewTask<T extends Task = Task> = OwnColumns<T> & {
  /** Owner, at most 255 characters. */
  userId: string;
  /** What to work on; at most 65,535 bytes of UTF-8. */
  input: string;
  args?: string | undefined;
  /** Kind of work, at most 64 characters; absent: option `defaultService`. */
  service?: string | undefined;
  /** Narrows claims within a service, at most 64 characters. */
  group?: string | undefined;
  /** -32,768 to 32,767, lower first; 0 by default. */
  priority?: number | undefined;
  /** Ready from then on, and WAITING until then: a Date, or ISO 8601 with its zone. */
  runAt?: Date | string | undefined;
  /** 1 to 1,000; absent: as the service's configuration says. */
  maxAttempts?: number | undefined;
  /** INIT or BEGIN; absent: option `initialStatus`. */
  status?: number | undefined;
  /** Where this task's callback goes instead of option `callbackUrl`, at an origin that option `callbackAllow` lists. */
  callbackUrl?: string | undefined;
};

export interface Idempotent {
  /** The same key of the same owner, with the same content, answers the tasks that it made first. */
  idempotencyKey?: string | undefined;
}

/** One call to create, ready for the database. */
interface Order<T extends Task> {
  given: NewTask<T>[];
  rows: NewRow[];
  /** How many tasks each owner gets. */
  owners: Map<string, number>;
  limits: Limits;
  key: KeyEntry | undefined;
}

interface Made<T extends Task> {
  /** Made just now, not answered again. */
  isNew: boolean;
  tasks: T[];
}

/** Creates tasks: all of one call or none. */
export class Creation<T extends Task> implements Batch<Order<T>, Made<T>> {
  private readonly ids = new TaskIds();

  constructor(private readonly queue: Queue<T>) {}

  async create(given: NewTask<T>[], { idempotencyKey, ...where }: InTransaction & Idempotent): Promise<T[]> {
    const { queue } = this;
    if (given.length === 0) return [];
    if (given.length > LIMITS.creates)
      throw invalid([{ field: 'body', rule: 'arrayMaxSize', msg: `body must be at most ${LIMITS.creates} tasks` }]);
    const rows = given.map((task, index) => within(given.length > 1 ? `[${index}].` : '', () => this.toRow(task)));
    await this.admitTargets(rows);
    const owners = countOwners(given);
    if (idempotencyKey !== undefined) checkKey(idempotencyKey, owners);
    const key = idempotencyKey === undefined ? undefined : keyOf(idempotencyKey, given, rows);
    const limits = await limitsOf(queue.settings, owners.keys());
    const { isNew, tasks } = await runBatched(queue, where, this, { given, rows, owners, limits, key }, (made) =>
      this.tell(made),
    );
    return isNew || tasks.length === given.length ? tasks : gone();
  }

  *script(orders: Order<T>[]): Script<Outcome<Made<T>>[]> {
    const { keys, tasks } = this.queue;
    const known = yield* keys.known(orders.flatMap(({ key }) => (key ? [key.id] : [])));
    const knownTo = ({ key }: Order<T>): KeyEntry | undefined => key && known.get(key.id);
    const held = orders.length === 1 ? new Set() : yield* Quotas.held(this.queue, limitsOfAll(orders));
    // Whoever has to wait for his owner's lock keeps nobody else waiting.
    const waits = ({ owners }: Order<T>): boolean => [...owners.keys()].some((owner) => held.has(owner));
    const fresh = orders.filter((order) => !knownTo(order) && !waits(order));
    // First of all: whoever sends the same one elsewhere is waited for here, and counts in no quota.
    yield* keys.add(
      fresh.flatMap(({ key }) => key ?? []),
      this.queue.settings.idempotencyTtl,
    );
    const quotas = yield* Quotas.lock(this.queue, limitsOfAll(fresh));
    const refusals = new Map(fresh.map((order) => [order, quotas.take(order.owners)]));
    for (const [{ key }, refusal] of refusals) if (key && refusal) yield* keys.drop(key);
    const made = yield* tasks.insert(fresh.filter((order) => !refusals.get(order)).flatMap(({ rows }) => rows));
    const found = yield* tasks.findAll([...known.values()].flatMap(({ taskIds }) => taskIds));
    const byId = new Map([...made, ...found].map((task) => [task.taskId, task]));
    const tasksOf = (ids: string[]): T[] => ids.map((id) => byId.get(id)).filter((task) => task !== undefined);
    return orders.map((order) => {
      const entry = knownTo(order);
      if (entry && entry.fingerprint !== order.key!.fingerprint) return failed(conflict());
      if (entry) return done({ isNew: false, tasks: tasksOf(entry.taskIds) });
      if (waits(order)) return ALONE;
      const refusal = refusals.get(order);
      return refusal ? failed(refusal) : done({ isNew: true, tasks: tasksOf(order.rows.map((row) => row.taskId)) });
    });
  }

  keys({ key }: Order<T>): string[] {
    return key ? [key.id] : [];
  }

  size({ rows, given }: Order<T>): Size {
    const chars = given.reduce((sum, { input, args }) => sum + input.length + (args?.length ?? 0), 0);
    return { rows: rows.length, chars };
  }

  private tell({ isNew, tasks }: Made<T>): void {
    if (!isNew) return;
    const { events, lifeCycle } = this.queue;
    events.tell('created', tasks);
    events.tell(
      'ready',
      tasks.filter((task) => task.status === lifeCycle.status.BEGIN),
    );
  }

  /** Tasks' own URLs become what was checked, all at once: each may wait for a name. Mostly there are none. */
  private async admitTargets(rows: NewRow[]): Promise<void> {
    const admit = async (row: NewRow, place: string): Promise<void> => {
      const url = row.callbackUrl;
      if (typeof url === 'string') row.callbackUrl = await within(place, () => this.queue.targets.admit(url));
    };
    await Promise.all(rows.map((row, index) => admit(row, rows.length > 1 ? `[${index}].` : '')));
  }

  /** A row that keeps all rules. */
  private toRow(task: NewTask<T>): NewRow {
    const { lifeCycle, settings } = this.queue;
    const {
      userId,
      input,
      args,
      service = settings.defaultService,
      group,
      priority,
      runAt,
      maxAttempts,
      status,
      callbackUrl,
      ...own
    } = task;
    check('userId', userId, userIdRule);
    check('input', input, textRule);
    check('service', service, nameRule);
    if (args !== undefined) check('args', args, textRule);
    if (group !== undefined) check('group', group, nameRule);
    if (priority !== undefined) check('priority', priority, priorityRule);
    if (maxAttempts !== undefined) check('maxAttempts', maxAttempts, maxAttemptsRule);
    if (runAt !== undefined) check('runAt', runAt, timeRule);
    if (status !== undefined) checkStatus(status, lifeCycle.newStatuses);
    if (callbackUrl !== undefined) check('callbackUrl', callbackUrl, ownUrlRule);
    if (runAt !== undefined && status === lifeCycle.status.INIT)
      throw invalid([
        { field: 'runAt', rule: 'draft', msg: `runAt is for tasks that run: leave status ${status} out` },
      ]);
    return {
      ...ownColumns(own),
      taskId: this.ids.next(),
      userId,
      input,
      args,
      service,
      group,
      priority,
      maxAttempts,
      callbackUrl,
      runAt: timeOf(runAt),
      status: runAt === undefined ? (status ?? settings.initialStatus) : lifeCycle.status.BEGIN,
    };
  }
}

const limitsOfAll = <T extends Task>(orders: Order<T>[]): Limits =>
  new Map(orders.flatMap(({ limits }) => [...limits]));

export function checkStatus(status: number, allowed: readonly number[]): void {
  if (!allowed.includes(status))
    throw invalid([{ field: 'status', rule: 'isIn', msg: `status must be one of ${allowed.join(', ')}` }]);
}

/** A host's own columns among what a caller gives: the queue's are the queue's to write. */
export const ownColumns = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !TASK_COLUMNS.includes(name)));

/** What a key stands for once these rows are there. */
const keyOf = (key: string, given: { userId: string }[], rows: NewRow[]): KeyEntry => ({
  id: digest('create', given[0]!.userId, key),
  fingerprint: digest(canonical(given)),
  taskIds: rows.map((row) => row.taskId),
});

const conflict = (): TaskError =>
  new TaskError('IDEMPOTENCY_CONFLICT', {
    msg: 'this Idempotency-Key came with other content before: a new task needs a new key',
  });

function gone(): never {
  throw new TaskError('NOT_FOUND', { msg: 'what this Idempotency-Key made has been deleted since' });
}

/** The same content gives the same text, in whatever order its fields stand. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !(inner instanceof Date)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

function countOwners(tasks: { userId: string }[]): Map<string, number> {
  const owners = new Map<string, number>();
  for (const { userId } of tasks) owners.set(userId, (owners.get(userId) ?? 0) + 1);
  return owners;
}

function checkKey(key: string, owners: Map<string, number>): void {
  check('Idempotency-Key', key, keyRule);
  if (owners.size > 1)
    throw invalid([{ field: 'Idempotency-Key', rule: 'oneOwner', msg: 'Idempotency-Key is for tasks of one owner' }]);
}
