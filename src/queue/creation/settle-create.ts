import type { Task } from '../../contract/task.entity.js';
import { ALONE, failed, type Outcome } from '../../database/group-commit.js';
import type { Script } from '../../database/transaction.js';
import type { QueueEvent } from '../events.js';
import { type OwnerQuotas, Quotas } from '../owner-quota.js';
import type { Queue } from '../queue.js';
import type { KeyEntry, KeyStore } from '../stores/key.store.js';
import type { NewRow } from '../stores/task.store.js';
import { countOwners } from './new-row.js';
import { type DuplicateMarks, entryIdOf, marked, roomFor } from './repeat-create.js';
import { type Place, type Settlement, UniqueHolders, type UniqueOrder } from './unique-holders.js';

export interface CreateResult<T extends Task> {
  /** Created now, and not a repeated answer. */
  isNew: boolean;
  /** The answer. Tasks that hold unique keys already are marked as duplicates. */
  tasks: T[];
  /** Those that were created. */
  made: T[];
  /** Those that got other content, with their events. */
  replaced: Replaced<T>[];
}

type Replaced<T extends Task> = { task: T; event: QueueEvent<T> | undefined };

/** What becomes of a create: its places, its refusal, or that it has to run alone. */
type Settled<T extends Task> = Settlement<T> | Outcome<never>;

export const isAccepted = <T extends Task>(settled: Settled<T>): settled is Settlement<T> => 'places' in settled;

export function settle<T extends Task>(order: UniqueOrder, holders: UniqueHolders<T>, quotas: Quotas): Settled<T> {
  const settlement = holders.settle(order);
  if (!settlement) return ALONE;
  // Those of the database have their space already.
  const rows = settlement.places.filter(({ holder }) => !holder || 'row' in holder).map(({ row }) => row);
  const refusal =
    holders.refusals.get(order) ??
    roomFor(rows, order.space) ??
    quotas.take(countOwners(newRows(settlement) as (NewRow & { userId: string })[]));
  if (refusal) return failed(refusal);
  holders.accept(settlement);
  return settlement;
}

/** The rows of a create that become tasks. */
export const newRows = <T extends Task>({ places }: Settlement<T>): NewRow[] =>
  places.flatMap(({ row, holder }) => (holder ? [] : row));

/** An Idempotency-Key stands for what is answered. A refused create leaves it free. */
export function* correctKey<T extends Task>(keys: KeyStore, key: KeyEntry, settled: Settled<T>): Script<void> {
  if (!isAccepted(settled)) return yield* keys.drop(key);
  const { places } = settled;
  if (!places.some(({ holder }) => holder)) return undefined;
  return yield* keys.become({ ...key, taskIds: places.map((place) => entryIdOf(shownId(place), marksOf(place))) });
}

/** Deals what a transaction has written to the creates that asked for it. */
export class CreateResults<T extends Task> {
  private readonly made: Map<string, T>;
  private readonly replaced: Map<string, Replaced<T>>;

  constructor(made: T[], replaced: Replaced<T>[]) {
    this.made = new Map(made.map((task) => [task.taskId, task]));
    this.replaced = new Map(replaced.map((one) => [one.task.taskId, one]));
  }

  of({ places }: Settlement<T>): CreateResult<T> {
    const replaced: Replaced<T>[] = [];
    for (const id of places.filter(({ isReplaced }) => isReplaced).map(shownId)) {
      const one = this.replaced.get(id);
      // Its event is told once, also if several creates replaced it.
      if (this.replaced.delete(id)) replaced.push(one!);
    }
    const made = places.filter(({ holder }) => !holder).map(({ row }) => this.made.get(row.taskId)!);
    return { isNew: true, tasks: places.map((place) => this.shown(place)), made, replaced };
  }

  private shown(place: Place<T>): T {
    const { holder } = place;
    const task = holder && 'task' in holder ? holder.task : this.made.get(shownId(place))!;
    const marks = marksOf(place);
    return marks ? marked(task, marks) : task;
  }
}

const shownId = <T extends Task>({ row, holder }: Place<T>): string =>
  (holder ? ('row' in holder ? holder.row : holder.task) : row).taskId;

const marksOf = <T extends Task>({ holder, isReplaced }: Place<T>): DuplicateMarks | undefined =>
  holder && (isReplaced ? { duplicate: true, replaced: true } : { duplicate: true });

/** Creates that have to wait for the lock of their owner, or of a unique key: they must not delay the others. */
export function* waitingFor<T extends Task, O extends UniqueOrder & { owners: Map<string, number> }>(
  queue: Queue<T>,
  orders: O[],
  limits: OwnerQuotas,
): Script<Set<O>> {
  const owners = yield* Quotas.held(queue, limits);
  const keys = yield* UniqueHolders.held(queue, orders);
  const isHeld = (order: O): boolean =>
    [...order.owners.keys()].some((owner) => owners.has(owner)) ||
    [...order.uniques.values()].some(({ id }) => keys.has(id));
  return new Set(orders.filter(isHeld));
}
