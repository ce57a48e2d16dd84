import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import type { Interval, Job } from '../polling/poller.js';
import type { Queue } from '../queue/queue.js';
import type { CreateOrder, Creation, NewTask } from '../queue/creation/create.js';
import type { CreateResult } from '../queue/creation/settle-create.js';
import { timesOf } from './definition.js';
import { type Plan, plan } from './plan.js';
import type { ScheduleRun } from './schedule.js';
import type { ScheduleRow, ScheduleStore } from './schedule.store.js';
import { late } from './schedules.js';

/** Schedules of one look. */
const ROWS = 50;
/** Seconds between looks at a task that another one waits for. */
const BUFFER_LOOK = 2;
/** Runs that a schedule shows. */
const KEPT = 20;

/** A schedule that is due, what to do about it, and its tasks, checked and ready for the database. */
interface Firing<T extends Task> {
  row: ScheduleRow;
  plan: Plan;
  orders: CreateOrder<T>[];
  /** Why its tasks cannot be created. */
  refusal: TaskError | undefined;
}

/**
 * Creates the tasks of schedules that are due. Runs in every process, by the database's clock: the tasks are inserted in
 * the transaction that moves the schedule on, so each time has its task once, also after kill -9.
 */
export class FireDue<T extends Task> implements Job {
  readonly name = 'creating the tasks of schedules';
  readonly interval: Interval = { shortest: 200, longest: 1000 };

  constructor(
    private readonly queue: Queue<T>,
    private readonly store: ScheduleStore,
    private readonly creation: Creation<T>,
  ) {}

  async run(isOver: () => boolean): Promise<boolean> {
    const { database } = this.queue;
    const { rows, now } = await reading(database, () => this.read());
    if (rows.length === 0 || isOver()) return false;
    const firings = await Promise.all(rows.map(({ row, isRunning }) => this.prepare(row, isRunning, now)));
    try {
      await this.fire(firings, now);
    } catch (error) {
      if (!(error instanceof TaskError) || error.errorName === 'UNAVAILABLE') throw error;
      // A value that this database refuses: the schedule at fault must not hold up the others.
      for (const firing of firings) await this.fireAlone(firing, now);
    }
    return true;
  }

  private *read(): Script<{ rows: { row: ScheduleRow; isRunning: boolean }[]; now: Date }> {
    const now = yield* this.store.now();
    const rows = yield* this.store.due(ROWS);
    const lastIds = rows.flatMap(({ lastTaskId }) => lastTaskId ?? []);
    const states = yield* this.queue.tasks.states(lastIds);
    const running = new Set(states.filter(({ status }) => !this.queue.lifeCycle.isEnded(status)).map(({ id }) => id));
    return {
      rows: rows.map((row) => ({ row, isRunning: row.lastTaskId !== null && running.has(row.lastTaskId) })),
      now,
    };
  }

  private async prepare(row: ScheduleRow, isRunning: boolean, now: Date): Promise<Firing<T>> {
    const { definition, nextFor, waitsFor, userId, key } = row;
    const planned = plan({ definition, nextFor, waitsFor, isRunning }, timesOf(definition, row.createdAt), now);
    const task = { ...definition.task, userId, status: this.queue.lifeCycle.status.BEGIN } as NewTask<T>;
    try {
      const order = (scheduledFor: Date): Promise<CreateOrder<T>> =>
        this.creation.order([task], {}, { scheduleKey: key, scheduledFor });
      return { row, plan: planned, orders: await Promise.all(planned.create.map(order)), refusal: undefined };
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      return { row, plan: planned, orders: [], refusal: error };
    }
  }

  private async fireAlone(firing: Firing<T>, now: Date): Promise<void> {
    try {
      await this.fire([firing], now);
    } catch (error) {
      if (!(error instanceof TaskError) || error.errorName === 'UNAVAILABLE') throw error;
      await this.fire([{ ...firing, orders: [], refusal: error }], now);
    }
  }

  private async fire(firings: Firing<T>[], now: Date): Promise<void> {
    const { database } = this.queue;
    for (const result of await transaction(database, () => this.script(firings, now))) this.creation.committed(result);
  }

  private *script(firings: Firing<T>[], now: Date): Script<CreateResult<T>[]> {
    const locked = yield* this.store.lockDue(firings.map(({ row }) => row.id));
    const fired: CreateResult<T>[] = [];
    const ours = firings.filter(({ row }) => locked.some((found) => isUnchanged(row, found)));
    const outcomes = yield* this.creation.script(ours.flatMap(({ orders }) => orders));
    let from = 0;
    for (const { row, plan: planned, orders, refusal } of ours) {
      const own = outcomes.slice(from, (from += orders.length));
      // Another create of this owner holds the lock of the quota: the next look tries again.
      if (own.some((outcome) => 'alone' in outcome)) continue;
      const tasks = own.map((outcome) => ('value' in outcome ? outcome.value.tasks[0]! : undefined));
      const runs = planned.create.map((scheduledFor, place): ScheduleRun => {
        const outcome = own[place];
        const error = refusal ?? (outcome && 'error' in outcome ? (outcome.error as TaskError) : undefined);
        return { scheduledFor, taskId: tasks[place]?.taskId ?? null, error: error ? messageOf(error) : null };
      });
      yield* this.store.advance(row.id, progressOf(row, planned, runs, now));
      fired.push(...own.flatMap((outcome) => ('value' in outcome ? outcome.value : [])));
    }
    return fired;
  }
}

function progressOf(row: ScheduleRow, { nextFor, waitsFor, skipped }: Plan, runs: ScheduleRun[], now: Date) {
  const made = runs.filter(({ taskId }) => taskId !== null).at(-1);
  const left: ScheduleRun[] = skipped
    ? [{ scheduledFor: skipped, taskId: null, error: 'left out: the last task had not ended' }]
    : [];
  const dueNext = nextFor && late(nextFor, row.definition.jitter);
  const soon = new Date(now.getTime() + BUFFER_LOOK * 1000);
  return {
    nextFor,
    waitsFor,
    dueAt: waitsFor && (!dueNext || soon < dueNext) ? soon : dueNext,
    lastFor: made?.scheduledFor ?? row.lastFor,
    lastTaskId: made?.taskId ?? row.lastTaskId,
    runs: [...left, ...runs.reverse(), ...row.runs].slice(0, KEPT),
  };
}

/** Whether it is as it was read: nobody has changed it or moved it on. */
const isUnchanged = (read: ScheduleRow, locked: ScheduleRow): boolean =>
  read.id === locked.id &&
  read.nextFor?.getTime() === locked.nextFor?.getTime() &&
  read.dueAt?.getTime() === locked.dueAt?.getTime() &&
  read.updatedAt.getTime() === locked.updatedAt.getTime() &&
  JSON.stringify(read.definition) === JSON.stringify(locked.definition);

const messageOf = ({ errorName, detail }: TaskError): string => {
  const [problem] = Array.isArray(detail) ? (detail as { msg: string }[]) : [detail as { msg?: string } | undefined];
  return `${errorName}${problem?.msg ? `: ${problem.msg}` : ''}`.slice(0, 300);
};
