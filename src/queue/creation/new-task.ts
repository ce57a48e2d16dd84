import type { Given } from '../../contract/given.js';
import type { Task } from '../../contract/task.entity.js';
import type { NewTask as NewTaskOnWire } from '../../protocol/wire.types.js';
import type { AnswerSpace } from '../answer-room.js';
import type { OwnColumns } from '../own-columns.js';
import type { OwnerQuotas } from '../owner-quota.js';
import type { KeyEntry } from '../stores/key.store.js';
import type { NewRow } from '../stores/task.store.js';
import type { Unique } from '../unique.js';
import type { UniqueKey } from '../unique-id.js';

/** A new task. Its `priority` may be any: option `userPriority` is for users and does not bind callers of this. */
export type NewTask<T extends Task = Task> = OwnColumns<T> &
  Pick<NewTaskOnWire, 'input'> &
  Given<Omit<NewTaskOnWire, 'input' | 'runAt' | 'unique'>> & {
    /** The owner, at most 255 characters. */
    userId: string;
    /** WAITING until this time, then ready: a Date, or ISO 8601 with its zone. */
    runAt?: Date | string | undefined;
    /** Makes it the only task of its owner and service with this key. */
    unique?: Unique | undefined;
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
  /** Id of a row -> its unique key. */
  uniques: Map<string, UniqueKey>;
  /** It runs in a host's transaction. */
  isForeign: boolean;
  /** The space of the answer. */
  space: AnswerSpace;
}
