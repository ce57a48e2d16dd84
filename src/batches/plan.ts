import type { FieldProblem } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import type { Script } from '../database/transaction.js';
import type { LifeCycle } from '../queue/life-cycle.js';
import { digest } from '../queue/queue.js';
import type { KeyEntry } from '../queue/stores/key.store.js';
import { canonical } from '../queue/creation/create-key.js';
import type { CreateOrder, Creation, NewTask } from '../queue/creation/create.js';
import { check, invalid, within } from '../validation/invalid.js';
import { urlRule } from '../validation/url.rule.js';
import type { BatchTask, NewBatch, ThenTask } from './batch.js';
import { thenOf } from './batch-end.js';
import { linksOf } from './graph.js';
import type { NewMember } from './member.store.js';

/** Tasks of one order: one INSERT writes them. */
const PART = 500;

/** The tasks of a call, checked and ready for the database. */
export interface BatchPlan<T extends Task> {
  taskIds: string[];
  /** Inserts them. Throws what refuses one of them. */
  create(creation: Creation<T>): Script<T[]>;
  /** Those that were created, as members. */
  members(made: T[]): NewMember[];
}

/** Checks what belongs to a batch. */
export class Planner<T extends Task> {
  constructor(
    private readonly creation: Creation<T>,
    private readonly lifeCycle: LifeCycle,
    private readonly maxTasks: number,
    /** The form in which a batch's own address is stored. INVALID_PARAM. */
    private readonly admitUrl: (url: string) => Promise<string>,
  ) {}

  /** The tasks of a call. INVALID_PARAM, TOO_LARGE. */
  async plan(tasks: BatchTask<T>[], userId: string, batchId: string): Promise<BatchPlan<T>> {
    const { status } = this.lifeCycle;
    this.checkList(tasks);
    const links = linksOf(tasks, status.INIT);
    const orders: CreateOrder<T>[] = [];
    for (let from = 0; from < tasks.length; from += PART) {
      const given = tasks.slice(from, from + PART).map((task) => this.toTask(task, userId));
      const marksOf = (index: number): object =>
        links[from + index]!.needs.length > 0 ? { batchId, status: status.WAITING } : { batchId };
      orders.push(await within('tasks', () => this.creation.order(given, {}, {}, { from, isList: true, marksOf })));
    }
    const taskIds = orders.flatMap(({ rows }) => rows.map((row) => row.taskId));
    return {
      taskIds,
      *create(creation) {
        const made: T[] = [];
        for (const order of orders) {
          const [outcome] = yield* creation.script([order]);
          if (!outcome || !('value' in outcome)) throw outcome && 'error' in outcome ? outcome.error : ALONE;
          for (const task of outcome.value.tasks) made.push(task);
        }
        return made;
      },
      members: () =>
        links.map(({ ref, needs, runsAnyway, leads, layer }, index) => ({
          batchId,
          taskId: taskIds[index]!,
          ref,
          needs: needs.map((need) => taskIds[need]!),
          runsAnyway,
          leads,
          layer,
        })),
    };
  }

  /** The settings of the task that follows, as they are stored. INVALID_PARAM, TOO_LARGE. */
  async then(task: ThenTask<T> | undefined, userId: string, batchId: string): Promise<string | null> {
    if (task === undefined) return null;
    if (typeof task !== 'object' || task === null || Array.isArray(task))
      throw invalid([{ field: 'then', rule: 'isObject', msg: 'then must be an object: what a create takes' }]);
    for (const field of ['runAt', 'status', 'userId', 'ref', 'dependsOn', 'runOn'])
      if ((task as Record<string, unknown>)[field] !== undefined)
        throw invalid([{ field: `then.${field}`, rule: 'ofBatch', msg: `then.${field}: the batch decides it` }]);
    if (task.unique !== undefined) throw invalid([notUnique('then.unique')]);
    // The longest state makes the longest texts.
    await within('then.', () => this.creation.order([thenOf(task, userId, batchId, 'cancelled')]));
    return JSON.stringify(task);
  }

  /** A batch's own address, as it is stored. INVALID_PARAM. */
  async callbackUrl(url: string | undefined): Promise<string | null> {
    if (url === undefined) return null;
    check('callbackUrl', url, urlRule);
    return this.admitUrl(url);
  }

  private checkList(tasks: unknown): void {
    if (!Array.isArray(tasks))
      throw invalid([{ field: 'tasks', rule: 'isArray', msg: 'tasks must be a list of tasks' }]);
    if (tasks.length > this.maxTasks) {
      const msg = `tasks must have at most ${this.maxTasks} tasks; create the batch with seal=false, and add the rest`;
      throw invalid([{ field: 'tasks', rule: 'arrayMaxSize', msg }]);
    }
    const odd = tasks.findIndex((task) => typeof task !== 'object' || task === null || Array.isArray(task));
    if (odd >= 0) throw invalid([{ field: `tasks[${odd}]`, rule: 'isObject', msg: `tasks[${odd}] must be an object` }]);
    const unique = tasks.findIndex((task) => task.unique !== undefined);
    if (unique >= 0) throw invalid([notUnique(`tasks[${unique}].unique`)]);
  }

  /** Drafts would hold up the batch, so a task is ready unless it says that it is one. */
  private toTask({ ref: _ref, dependsOn: _needs, runOn: _runOn, ...task }: BatchTask<T>, userId: string): NewTask<T> {
    const given = task as unknown as NewTask<T>;
    return { ...given, userId, status: given.status ?? this.lifeCycle.status.BEGIN };
  }
}

/** Another task that holds the key would be the answer. The batch could neither wait for it nor count it. */
const notUnique = (field: string): FieldProblem => ({
  field,
  rule: 'ofBatch',
  msg:
    `${field}: a batch cannot wait for a task that it has not created; leave unique out, and send an Idempotency-Key ` +
    'for a batch that is created once (docs/batches.md)',
});

const ALONE = new Error('a create by itself must have an outcome; report this as a bug');

/** What an Idempotency-Key of a create of a batch stands for. The ids of 10,000 tasks are too long for the table. */
export const planKey = <T extends Task>(
  userId: string,
  key: string,
  given: NewBatch<T>,
  batchId: string,
): KeyEntry => ({
  id: digest('batch', userId, key),
  fingerprint: digest(canonical(given)),
  taskIds: [batchId],
});
