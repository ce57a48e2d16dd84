import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import { isDeepStrictEqual } from 'node:util';
import { digest, type Queue } from '../queue/queue.js';
import type { Creation, NewTask } from '../queue/creation/create.js';
import { check, invalid, within } from '../validation/invalid.js';
import { scheduleKeyRule, userIdRule } from '../validation/rules.js';
import { definitionOf, isSameCadence, type ScheduleBounds, timesOf } from './definition.js';
import type { Schedule, ScheduleSettings, ScheduleState } from './schedule.js';
import { scheduleLimitRule, scheduleStateRule } from './schedule.rules.js';
import { cursorOf, placeOf, type SchedulePlace } from './schedule-place.js';
import type { ScheduleRow, ScheduleStore } from './schedule.store.js';
import { shown } from './shown.js';

/** Schedules that a list of one state looks at. */
const LOOKED = 10_000;
/** Seconds after which the lock row of an owner who makes no schedules is deleted. */
const LOCK_SECONDS = 86_400;

/** Whose schedules. Without an owner, in lists: those of all owners. */
export interface ScheduleCaller {
  userId: string;
}

export interface ScheduleList {
  /** In the order of owners and keys. With `state` it may be short although there are more: see `nextCursor`. */
  list: Schedule[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

export interface ScheduleListOptions {
  userId?: string | undefined;
  state?: ScheduleState | undefined;
  /** 1 to 100. @defaultValue 50 */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** What bounds the schedules of users. The host's own code is not bound. */
export interface UserBounds extends ScheduleBounds {
  /** The most schedules of one owner. */
  maxSchedules: number;
}

const UNBOUND: UserBounds = { minInterval: 1, maxSchedules: Infinity };

/** Tasks that are created again and again. A schedule belongs to an owner, who names it by a key. */
export class Schedules<T extends Task> {
  constructor(
    private readonly queue: Queue<T>,
    private readonly store: ScheduleStore,
    private readonly creation: Creation<T>,
    /** Called when a schedule may be due sooner. */
    private readonly changed: () => void,
  ) {}

  /**
   * Creates a schedule or replaces its settings. The same settings again change nothing. A new time plan counts from
   * now on. INVALID_PARAM, TOO_MANY_TASK.
   */
  async set(
    key: string,
    settings: ScheduleSettings<T>,
    { userId }: ScheduleCaller,
    bounds: UserBounds = UNBOUND,
    isCode = false,
  ): Promise<Schedule> {
    const id = idOf(userId, key);
    const definition = definitionOf(settings, bounds);
    await this.checkTask(settings.task as object, userId);
    const row = await transaction(this.queue.database, () =>
      this.put({ id, userId, key, definition, isCode }, settings.paused, bounds.maxSchedules),
    );
    this.changed();
    return shown(row);
  }

  /** One schedule. NOT_FOUND. */
  async get(key: string, { userId }: ScheduleCaller): Promise<Schedule> {
    const row = await reading(this.queue.database, () => this.store.find(idOf(userId, key)));
    if (!row) throw notFound();
    return shown(row);
  }

  /** INVALID_PARAM. */
  async list({ userId, state, limit = 50, cursor }: ScheduleListOptions = {}): Promise<ScheduleList> {
    check('limit', limit, scheduleLimitRule);
    if (userId !== undefined) check('userId', userId, userIdRule);
    if (state !== undefined) check('state', state, scheduleStateRule);
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const { rows, end } = await reading(this.queue.database, () => this.rows(userId, state, after, limit + 1));
    const list = rows.slice(0, limit).map((row) => shown(row));
    const last = list.at(-1);
    return { list, nextCursor: rows.length > limit ? cursorOf([last!.userId, last!.key]) : end ? cursorOf(end) : null };
  }

  /** Removes it. Its tasks stay. NOT_FOUND. */
  async delete(key: string, { userId }: ScheduleCaller): Promise<void> {
    const found = await transaction(this.queue.database, () => this.store.delete(idOf(userId, key)));
    if (found === 0) throw notFound();
  }

  /** Creates no tasks until it is resumed. NOT_FOUND. */
  async pause(key: string, caller: ScheduleCaller): Promise<Schedule> {
    return this.change(key, caller, (row) => ({ ...row, paused: true, dueAt: null, waitsFor: null }));
  }

  /** Goes on with the next time. What was missed while it was paused is not made up for. NOT_FOUND. */
  async resume(key: string, caller: ScheduleCaller): Promise<Schedule> {
    return this.change(key, caller, (row, now) => (row.paused ? startedAt({ ...row, paused: false }, now) : row));
  }

  /** Creates its task now, also while the last one runs. Its times stay. NOT_FOUND, TOO_MANY_TASK. */
  async run(key: string, caller: ScheduleCaller): Promise<T> {
    const { database } = this.queue;
    const row = await reading(database, () => this.store.find(idOf(caller.userId, key)));
    if (!row) throw notFound();
    const scheduledFor = await reading(database, () => this.store.now());
    const task = { ...row.definition.task, userId: row.userId, status: this.ready } as NewTask<T>;
    const [created] = await this.creation.create([task], {}, { scheduleKey: key, scheduledFor });
    return created!;
  }

  private get ready(): number {
    return this.queue.lifeCycle.status.BEGIN;
  }

  /** Checks the task as a create does. */
  private async checkTask(task: object, userId: string): Promise<void> {
    for (const field of ['runAt', 'status', 'userId'])
      if ((task as Record<string, unknown>)[field] !== undefined)
        throw invalid([{ field: `task.${field}`, rule: 'ofSchedule', msg: `task.${field}: the schedule decides it` }]);
    await within('task.', () => this.creation.order([{ ...task, userId, status: this.ready } as NewTask<T>]));
  }

  private *rows(
    userId: string | undefined,
    state: ScheduleState | undefined,
    after: SchedulePlace | undefined,
    limit: number,
  ): Script<{ rows: ScheduleRow[]; end?: SchedulePlace | undefined }> {
    if (state) return yield* this.store.listOf(state, userId, after, limit, LOOKED);
    return { rows: yield* this.store.list(userId, after, limit) };
  }

  private *put(
    given: Pick<ScheduleRow, 'id' | 'userId' | 'key' | 'definition' | 'isCode'>,
    paused: boolean | undefined,
    most: number,
  ): Script<ScheduleRow> {
    const { store } = this;
    const now = yield* store.now();
    const row = (yield* store.lock(given.id)) ?? (yield* this.add({ ...given, paused: paused ?? false }, most, now));
    const wanted = { ...row, definition: given.definition, isCode: given.isCode, paused: paused ?? row.paused };
    const isMoved = !isSameCadence(row.definition, given.definition) || row.paused !== wanted.paused;
    if (!isMoved && row.isCode === given.isCode && isDeepStrictEqual(row.definition, given.definition)) return row;
    yield* store.define(isMoved ? startedAt(wanted, now) : wanted);
    return (yield* store.find(given.id))!;
  }

  /** Makes a new one. If another process has just made it, that one is what it returns. */
  private *add(
    given: Pick<ScheduleRow, 'id' | 'userId' | 'key' | 'definition' | 'isCode' | 'paused'>,
    most: number,
    now: Date,
  ): Script<ScheduleRow> {
    const { store, queue } = this;
    if (most < Infinity) {
      // Of two that come at once, the second one counts the first one, too.
      yield* queue.keys.lock([digest('schedules', given.userId)], LOCK_SECONDS);
      if ((yield* store.count(given.userId, most)) >= most) throw tooMany(most);
    }
    yield* store.insert(startedAt({ ...given, createdAt: now, nextFor: null, waitsFor: null, dueAt: null }, now));
    return (yield* store.lock(given.id))!;
  }

  private async change(
    key: string,
    { userId }: ScheduleCaller,
    edit: (row: ScheduleRow, now: Date) => ScheduleRow,
  ): Promise<Schedule> {
    const { store } = this;
    const id = idOf(userId, key);
    const row = await transaction(this.queue.database, function* (): Script<ScheduleRow | undefined> {
      const found = yield* store.lock(id);
      if (!found) return undefined;
      yield* store.define(edit(found, yield* store.now()));
      return yield* store.find(id);
    });
    if (!row) throw notFound();
    this.changed();
    return shown(row);
  }
}

/** Goes on from this time. */
function startedAt<Row extends Startable>(row: Row, now: Date): Row {
  if (row.paused) return { ...row, dueAt: null, waitsFor: null };
  const nextFor = timesOf(row.definition, row.createdAt).after(now) ?? null;
  return { ...row, nextFor, waitsFor: null, dueAt: nextFor && late(nextFor, row.definition.jitter) };
}

type Startable = Pick<ScheduleRow, 'definition' | 'createdAt' | 'paused' | 'nextFor' | 'waitsFor' | 'dueAt'>;

/** The time with its jitter. */
export const late = (time: Date, jitter: number): Date =>
  jitter === 0 ? time : new Date(time.getTime() + Math.floor(Math.random() * jitter * 1000));

function idOf(userId: string, key: string): string {
  check('key', key, scheduleKeyRule);
  check('userId', userId, userIdRule);
  return digest('schedule', userId, key);
}

const notFound = (): TaskError => new TaskError('NOT_FOUND', { msg: 'there is no schedule of this key' });
const tooMany = (limit: number): TaskError => {
  const msg = `an owner may have at most ${limit} schedules; delete one first`;
  return new TaskError('TOO_MANY_TASK', { field: 'key', limit, active: limit, msg });
};
