import type { Task } from '../../contract/task.entity.js';
import { reading, transaction } from '../../database/database.js';
import type { Script } from '../../database/transaction.js';
import type { QueueEvent } from '../events.js';
import { eventsOf } from '../hooks.js';
import type { LifeCycle } from '../life-cycle.js';
import { type OwnerQuotas, quotasOf, Quotas } from '../owner-quota.js';
import type { Queue } from '../queue.js';
import type { SearchFilter } from '../stores/search.store.js';
import type { TaskState } from '../stores/task.store.js';
import { cancelled, runAgain, type Transition } from '../transitions.js';
import { takeAgain } from '../unique-again.js';

/** What can be done to many tasks at once. */
export const BULK_ACTIONS = ['retry', 'cancel', 'delete'] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

export interface ChangedMany {
  done: number;
  /** Those that had changed meanwhile, or that a quota or a hook refused. */
  failed: number;
}

/** The statuses on which the action works, as a filter. */
export function statusesFor(action: BulkAction, { status, endedStatuses, heldStatuses }: LifeCycle): SearchFilter {
  if (action === 'retry') return { statuses: { isOneOf: true, values: [status.ERROR, status.CANCELLED] } };
  return { statuses: { isOneOf: false, values: action === 'cancel' ? endedStatuses : heldStatuses } };
}

/**
 * Does the same to each of these tasks, in one transaction that `also` completes. Tasks that are no longer in a fitting
 * status stay as they are. With an owner: only that owner's tasks.
 */
export async function changeMany<T extends Task>(
  queue: Queue<T>,
  ids: string[],
  { action, userId }: { action: BulkAction; userId?: string | undefined },
  also: (result: ChangedMany) => Script<boolean>,
): Promise<boolean> {
  const limits = action === 'retry' ? await limitsOf(queue, ids) : new Map<string, number>();
  const result = await transaction(queue.database, function* (): Script<{ events: QueueEvent<T>[]; goesOn: boolean }> {
    const { events, ...changed } = yield* change(queue, ids, action, userId, limits);
    return { events, goesOn: yield* also(changed) };
  });
  queue.hooks.committed(result.events);
  return result.goesOn;
}

async function limitsOf<T extends Task>({ settings, database, tasks }: Queue<T>, ids: string[]): Promise<OwnerQuotas> {
  if (settings.maxActiveTasks === undefined) return new Map();
  const found = await reading(database, () => tasks.states(ids));
  return quotasOf(settings, new Set(found.map(({ userId }) => userId)));
}

function* change<T extends Task>(
  queue: Queue<T>,
  ids: string[],
  action: BulkAction,
  userId: string | undefined,
  limits: OwnerQuotas,
): Script<ChangedMany & { events: QueueEvent<T>[] }> {
  const { tasks, hooks, lifeCycle } = queue;
  const { values, isOneOf } = statusesFor(action, lifeCycle).statuses!;
  const locked = (yield* tasks.lockAll(ids, userId)).filter(({ status }) => values.includes(status) === isOneOf);
  const fit = action === 'retry' ? yield* admitted(queue, locked, limits) : locked;
  const count = { done: fit.length, failed: ids.length - fit.length };
  if (action === 'delete') {
    yield* hooks.removing(locked);
    yield* tasks.delete(fit.map(({ id }) => id));
    return { ...count, events: [] };
  }
  const events: QueueEvent<T>[] = [];
  for (const { ids: same, values: columns, event } of groups(fit, action, lifeCycle))
    events.push(...eventsOf(event!, yield* tasks.update(same, columns)));
  yield* hooks.changed(events);
  return { ...count, events };
}

/** Tasks that change alike: mostly all, because only those with a unique key differ. */
function groups(tasks: TaskState[], action: BulkAction, lifeCycle: LifeCycle): (Transition & { ids: string[] })[] {
  const found = new Map<string, Transition & { ids: string[] }>();
  for (const task of tasks) {
    const transition = (action === 'retry' ? runAgain : cancelled)(task, lifeCycle);
    const name = JSON.stringify(transition);
    if (!found.has(name)) found.set(name, { ...transition, ids: [] });
    found.get(name)!.ids.push(task.id);
  }
  return [...found.values()];
}

/** Those that may run again. */
function* admitted<T extends Task>(queue: Queue<T>, locked: TaskState[], limits: OwnerQuotas): Script<TaskState[]> {
  const quotas = yield* Quotas.lock(queue, limits);
  const fit: TaskState[] = [];
  const others: string[] = [];
  for (const task of locked) {
    const refused =
      (yield* queue.hooks.refuseRunAgain(task.id)) ??
      (yield* takeAgain(queue, task, { isForeign: false, others })) ??
      quotas.take(new Map([[task.userId, 1]]));
    if (refused) continue;
    fit.push(task);
    if (task.uniqueRule !== null) others.push(task.id);
  }
  return fit;
}
