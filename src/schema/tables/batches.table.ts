import { BOUNDS } from '../../protocol/bounds.js';
import { ID, type SideTable } from './table.js';

/** Tasks that belong together, and how many of them have ended. */
export const BATCHES: SideTable = {
  suffix: 'batches',
  holds: 'batches',
  columns: {
    id: ID,
    user_id: { kind: 'key', length: 255 },
    // 1: no tasks are added any more.
    sealed: { kind: 'tiny' },
    on_failure: { kind: 'string', length: 10 },
    // 1: its tasks are being cancelled. 2: they were.
    cancelling: { kind: 'tiny', default: 0 },
    total: { kind: 'int', default: 0 },
    finished: { kind: 'int', default: 0 },
    failed: { kind: 'int', default: 0 },
    cancelled: { kind: 'int', default: 0 },
    then_task: { kind: 'long text', nullable: true },
    // The task that the last end created.
    then_task_id: { ...ID, nullable: true },
    callback_url: { kind: 'text', nullable: true },
    // When to look at it. NULL: it has ended.
    due_at: { kind: 'time', nullable: true },
    created_at: { kind: 'time' },
    ended_at: { kind: 'time', nullable: true },
  },
  indexes: {
    due: { on: ['due_at'], where: { column: 'due_at', is: 'not null' } },
    owner: { on: ['user_id', 'id'] },
    end: { on: ['ended_at'], where: { column: 'ended_at', is: 'not null' } },
  },
};

/**
 * The tasks of batches. It is a table of its own, so that tasks without a batch have no entry in an index for this. A
 * row stays when its task is deleted.
 */
export const BATCH_MEMBERS: SideTable = {
  suffix: 'batch_members',
  holds: 'tasks of batches',
  columns: {
    batch_id: ID,
    task_id: ID,
    ref: { kind: 'string', length: BOUNDS.refLength, nullable: true },
    // How it has ended, as far as its batch has counted it: 1 finished, 2 failed, 3 cancelled or deleted.
    outcome: { kind: 'small', nullable: true },
    // Tasks that it waits for.
    waits: { kind: 'int', default: 0 },
    // 1: it waits for tasks of its batch, and runs once `waits` is 0.
    blocked: { kind: 'tiny', default: 0 },
    // 1: it runs also if a task that it waits for has failed.
    runs_anyway: { kind: 'tiny', default: 0 },
    // 1: tasks wait for it that were not told of its end.
    leads: { kind: 'tiny', default: 0 },
    // How many tasks come before it, one after the other.
    layer: { kind: 'int', default: 0 },
    // What is to be done: 1 tell the tasks that wait for it, 2 run it, 3 let it fail.
    todo: { kind: 'small', nullable: true },
  },
  primaryKey: ['batch_id', 'task_id'],
  indexes: { todo: { on: ['batch_id', 'todo'], where: { column: 'todo', is: 'not null' } } },
};

/** Which task of a batch waits for which. */
export const BATCH_DEPENDENCIES: SideTable = {
  suffix: 'batch_dependencies',
  holds: 'dependencies of tasks',
  columns: { batch_id: ID, needs: ID, task_id: ID },
  primaryKey: ['batch_id', 'needs', 'task_id'],
  indexes: { task: { on: ['batch_id', 'task_id'] } },
};
