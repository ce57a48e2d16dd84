import { v7 as uuidv7 } from 'uuid';
import { TaskError } from '../contract/errors.js';
import { type Task, TASK_COLUMNS } from '../contract/task.entity.js';
import type { NewRow } from '../store/task.store.js';
import type { Script } from '../store/transaction.js';
import { check, invalid, within } from './invalid.js';
import { digest, type InTransaction, type Queue, type QueueSettings, run } from './queue.js';
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
};

export interface Idempotent {
  /** The same key of the same owner, with the same content, answers the tasks that it made first. */
  idempotencyKey?: string | undefined;
}

/** Creates tasks: all or none. */
export class Creation<T extends Task> {
  constructor(private readonly queue: Queue<T>) {}

  async create(tasks: NewTask<T>[], { idempotencyKey, ...where }: InTransaction & Idempotent): Promise<T[]> {
    const { queue } = this;
    if (tasks.length === 0) return [];
    if (tasks.length > LIMITS.creates)
      throw invalid([{ field: 'body', rule: 'arrayMaxSize', msg: `body must be at most ${LIMITS.creates} tasks` }]);
    const rows = tasks.map((task, index) => within(tasks.length > 1 ? `[${index}].` : '', () => this.toRow(task)));
    const owners = countOwners(tasks);
    if (idempotencyKey !== undefined) checkKey(idempotencyKey, owners);
    const quotas = await quotasOf(queue.settings, owners.keys());
    const { isNew, made } = await run(
      queue,
      where,
      function* (): Script<{ isNew: boolean; made: T[] }> {
        if (idempotencyKey !== undefined) {
          const known = yield* repeated(queue, idempotencyKey, tasks, rows);
          if (known) return { isNew: false, made: known };
        }
        for (const [owner, limit] of quotas) yield* checkQuota(queue, owner, limit, owners.get(owner)!);
        return { isNew: true, made: yield* queue.tasks.insert(rows) };
      },
      ({ isNew, made }) => {
        if (!isNew) return;
        queue.events.tell('created', made);
        queue.events.tell(
          'ready',
          made.filter((task) => task.status === queue.lifeCycle.status.BEGIN),
        );
      },
    );
    return isNew || made.length === tasks.length ? made : gone();
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
    if (runAt !== undefined && status === lifeCycle.status.INIT)
      throw invalid([
        { field: 'runAt', rule: 'draft', msg: `runAt is for tasks that run: leave status ${status} out` },
      ]);
    return {
      ...ownColumns(own),
      taskId: uuidv7(),
      userId,
      input,
      args,
      service,
      group,
      priority,
      maxAttempts,
      runAt: timeOf(runAt),
      status: runAt === undefined ? (status ?? settings.initialStatus) : lifeCycle.status.BEGIN,
    };
  }
}

export function checkStatus(status: number, allowed: number[]): void {
  if (!allowed.includes(status))
    throw invalid([{ field: 'status', rule: 'isIn', msg: `status must be one of ${allowed.join(', ')}` }]);
}

/** A host's own columns among what a caller gives: the queue's are the queue's to write. */
export const ownColumns = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !TASK_COLUMNS.includes(name)));

/** The quotas of these owners, in an order that all callers share, so that their locks can't cross. */
export async function quotasOf(
  { maxActiveTasks }: QueueSettings,
  owners: Iterable<string>,
): Promise<[owner: string, limit: number][]> {
  if (maxActiveTasks === undefined) return [];
  const limits: [string, number][] = [];
  for (const owner of [...owners].sort()) {
    const limit = typeof maxActiveTasks === 'function' ? await maxActiveTasks(owner) : maxActiveTasks;
    if (limit !== undefined) limits.push([owner, limit]);
  }
  return limits;
}

/** Seconds after which the lock of an owner who creates nothing is forgotten. */
const LOCK_SECONDS = 86_400;

/** Exact, whoever else creates: an owner's creations go one after the other. TOO_MANY_TASK. */
export function* checkQuota<T extends Task>(
  { keys, tasks, lifeCycle }: Queue<T>,
  owner: string,
  limit: number,
  more: number,
): Script<void> {
  yield* keys.lock(digest('quota', owner), LOCK_SECONDS);
  const active = yield* tasks.countOthers(owner, lifeCycle.endedStatuses, limit + 1);
  if (active + more > limit)
    throw new TaskError('TOO_MANY_TASK', {
      limit,
      active,
      msg: `at most ${limit} tasks at a time: wait until some have ended, or cancel them`,
    });
}

/** The tasks that this key made before, as they are now; undefined at its first use. IDEMPOTENCY_CONFLICT. */
function* repeated<T extends Task>(
  { keys, tasks, settings }: Queue<T>,
  key: string,
  given: NewTask<T>[],
  rows: NewRow[],
): Script<T[] | undefined> {
  const entry = { fingerprint: digest(canonical(given)), taskIds: rows.map((row) => row.taskId) };
  const known = yield* keys.claim(digest('create', given[0]!.userId, key), entry, settings.idempotencyTtl);
  if (!known) return undefined;
  if (known.fingerprint !== entry.fingerprint)
    throw new TaskError('IDEMPOTENCY_CONFLICT', {
      msg: 'this Idempotency-Key came with other content before: a new task needs a new key',
    });
  return yield* tasks.findAll(known.taskIds);
}

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
