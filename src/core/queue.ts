import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Outbox } from '../callback/outbox.js';
import type { Targets } from '../callback/targets.js';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import type { Batch, Batcher, Outcome } from '../store/batcher.js';
import type { CallbackStore } from '../store/callback.store.js';
import { type Database, transaction } from '../store/database.js';
import type { DueStore, Retention } from '../store/due.store.js';
import { Conflict } from '../store/failures.js';
import type { KeyStore } from '../store/key.store.js';
import type { ListStore } from '../store/list.store.js';
import type { ReadyStore } from '../store/ready.store.js';
import type { TaskStore } from '../store/task.store.js';
import type { Script } from '../store/transaction.js';
import type { TaskEvents } from './events.js';
import type { LifeCycle } from './life-cycle.js';
import type { Policies } from './policy.js';

/** Most tasks of an owner that have not ended: a number, or a function of the owner; undefined for no bound. */
export type Quota = number | ((userId: string) => number | undefined | Promise<number | undefined>);

export interface QueueSettings {
  defaultService: string;
  /** Status of a task that names none. */
  initialStatus: number;
  /** Refuses reports without a token. */
  requireLease: boolean;
  maxActiveTasks: Quota | undefined;
  /** Seconds that idempotency keys are kept. */
  idempotencyTtl: number;
  /** Most claims that wait at once. */
  maxWaiters: number;
  retention: Retention;
  /** Seconds that callbacks are kept once they have ended. */
  callbackRetention: number;
}

/** What every use case of one registration works with. */
export interface Queue<T extends Task> {
  readonly database: Database;
  readonly batcher: Batcher;
  readonly tasks: TaskStore<T>;
  readonly lists: ListStore<T>;
  readonly ready: ReadyStore<T>;
  readonly due: DueStore;
  readonly keys: KeyStore;
  readonly callbacks: CallbackStore;
  /** Where callbacks go. */
  readonly targets: Targets<T>;
  /** Notices of ends, for the scripts that end tasks. */
  readonly outbox: Outbox<T>;
  readonly lifeCycle: LifeCycle;
  readonly policies: Policies;
  readonly events: TaskEvents<T>;
  readonly settings: QueueSettings;
}

/**
 * Runs inside the caller's own transaction: commits and rolls back with it. Failures of the database, deadlocks too,
 * reach the caller as the driver's: only who owns the transaction can run it again. Listeners are told nothing, since
 * only its owner knows when, and whether, it commits; claims that wait find what it made ready within a second.
 * A quota is exact under READ COMMITTED; under REPEATABLE READ, MySQL's default, it counts the caller's snapshot.
 */
export interface InTransaction {
  manager?: EntityManager | undefined;
}

/** Runs a script, and tells what came of it once it is committed; in a caller's transaction nobody is told. */
export async function run<T extends Task, R>(
  { database }: Queue<T>,
  { manager }: InTransaction,
  script: () => Script<R>,
  tell: (result: R) => void,
): Promise<R> {
  if (manager) return within(database, manager, script);
  const result = await transaction(database, script);
  tell(result);
  return result;
}

/** Runs an item of a batch, with whatever else waits; in a caller's transaction by itself. */
export async function runBatched<T extends Task, I, R>(
  { database, batcher }: Queue<T>,
  { manager }: InTransaction,
  batch: Batch<I, R>,
  item: I,
  tell: (result: R) => void,
): Promise<R> {
  if (manager) return valueOf(await within(database, manager, () => batch.script([item])));
  const result = await batcher.run(batch, item);
  tell(result);
  return result;
}

/** A race that was lost is the caller's to run again, like every conflict in his transaction. */
async function within<R>(database: Database, manager: EntityManager, script: () => Script<R>): Promise<R> {
  try {
    return await database.within(manager, script);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    throw new TaskError('UNAVAILABLE', { msg: `${error.message}: run your transaction again` }, { cause: error });
  }
}

function valueOf<R>([outcome]: Outcome<R>[]): R {
  if (outcome && 'value' in outcome) return outcome.value;
  throw outcome && 'error' in outcome ? outcome.error : new Error('one item is always alone');
}

/** Names a key by the digest of what makes it unique: no part can be mistaken for another's. */
export const digest = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
