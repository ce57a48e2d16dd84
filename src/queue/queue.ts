import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import type { Command, GroupCommit, Outcome } from '../database/group-commit.js';
import { type Database, transaction } from '../database/database.js';
import type { DueStore } from './stores/due.store.js';
import type { Retention, RetentionStore } from './stores/retention.store.js';
import { Conflict } from '../database/failure-classes.js';
import type { KeyStore } from './stores/key.store.js';
import type { ListStore } from './stores/list.store.js';
import type { SearchStore } from './stores/search.store.js';
import type { ReadyStore } from './stores/ready.store.js';
import type { TaskStore } from './stores/task.store.js';
import type { Script } from '../database/transaction.js';
import type { TaskEvents } from './events.js';
import type { LifeCycle } from './life-cycle.js';
import type { Gates } from './gates.js';
import type { Traces } from '../protocol/traces.js';
import type { Hooks } from './hooks.js';
import type { Rules } from './transitions.js';

/** The most tasks of one owner that have not ended: a number, or a function of the owner. undefined: no limit. */
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
  /** The most claims that wait at once. */
  maxWaiters: number;
  retention: Retention;
}

/** What every use case of one registration works with. */
export interface Queue<T extends Task> {
  readonly database: Database;
  readonly groupCommit: GroupCommit;
  readonly tasks: TaskStore<T>;
  readonly lists: ListStore<T>;
  readonly search: SearchStore;
  readonly ready: ReadyStore<T>;
  readonly due: DueStore;
  readonly retained: RetentionStore;
  readonly keys: KeyStore;
  readonly lifeCycle: LifeCycle;
  /** The rules for the tasks of a service. */
  rulesOf(service: string): Rules;
  /** Which services give tasks to workers. */
  readonly gates: Gates;
  /** Hooks of the capabilities. */
  readonly hooks: Hooks;
  /** Listeners of `TaskService.onTask()`. */
  readonly events: TaskEvents<T>;
  readonly settings: QueueSettings;
  readonly traces: Traces;
}

/**
 * Runs inside the caller's own transaction, and commits and rolls back with it. Database errors, deadlocks included,
 * reach the caller as the driver's errors, because only the caller can run its transaction again. Listeners are not
 * told, because only the caller knows whether and when it commits. Waiting claims find the new tasks within a second. A
 * quota is exact under READ COMMITTED; under REPEATABLE READ, MySQL's default, it counts the caller's snapshot.
 */
export interface InTransaction {
  manager?: EntityManager | undefined;
}

/** Runs a script, and passes its result on after the commit. In a caller's transaction nothing is passed on. */
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

/** Runs one command grouped with others that wait; in a caller's transaction alone. */
export async function runGrouped<T extends Task, I, R>(
  { database, groupCommit }: Queue<T>,
  { manager }: InTransaction,
  command: Command<I, R>,
  item: I,
  tell: (result: R) => void,
): Promise<R> {
  if (manager) return valueOf(await within(database, manager, () => command.script([item])));
  const result = await groupCommit.run(command, item);
  tell(result);
  return result;
}

/** Only the caller can run its transaction again, so a lost race becomes an error, like every conflict in it. */
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
  throw outcome && 'error' in outcome
    ? outcome.error
    : new Error('a single command must have an outcome; report this as a bug');
}

/** Names a key by the digest of all parts that make it unique. JSON keeps the parts apart. */
export const digest = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
