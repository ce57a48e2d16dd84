import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading, transaction } from '../database/database.js';
import type { Script } from '../database/transaction.js';
import { digest, type Queue } from '../queue/queue.js';
import type { Creation, NewTask } from '../queue/use-cases/create.js';
import { check, invalid, within } from '../validation/invalid.js';
import { BOUNDS, integer, shortText, userIdRule } from '../validation/rules.js';
import { definitionOf, isSameCadence, type ScheduleBounds, timesOf } from './definition.js';
import type { Schedule, ScheduleSettings } from './schedule.js';
import type { ScheduleRow, ScheduleStore } from './schedule.store.js';

export const scheduleKeyRule = shortText(BOUNDS.scheduleKeyLength);
const limitRule = integer(1, 100);
/** How many times ahead a schedule is shown. */
const SHOWN = 5;

/** Whose schedules. Without an owner, in lists: those of all owners. */
export interface ScheduleCaller {
  userId: string;
}

export interface ScheduleList {
  /** In the order of owners and keys. */
  list: Schedule[];
  /** The cursor of the next page. null on the last page. */
  nextCursor: string | null;
}

export interface ScheduleListOptions {
  userId?: string | undefined;
  /** @defaultValue 50 */
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
    return this.shown(row);
  }

  /** One schedule. NOT_FOUND. */
  async get(key: string, { userId }: ScheduleCaller): Promise<Schedule> {
    const row = await reading(this.queue.database, () => this.store.find(idOf(userId, key)));
    if (!row) throw notFound();
    return this.shown(row);
  }

  /** INVALID_PARAM. */
  async list({ userId, limit = 50, cursor }: ScheduleListOptions = {}): Promise<ScheduleList> {
    check('limit', limit, limitRule);
    const after = cursor === undefined ? undefined : positionOf(cursor);
    const rows = await reading(this.queue.database, () => this.store.list(userId, after, limit + 1));
    const list = rows.slice(0, limit).map((row) => this.shown(row));
    const last = list.at(-1);
    const nextCursor = rows.length > limit ? JSON.stringify([last!.userId, last!.key]) : null;
    return { list, nextCursor: nextCursor && Buffer.from(nextCursor).toString('base64url') };
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

  /** Creates its task now, also while the last one runs. Its times stay. NOT_FOUND. */
  async run(key: string, caller: ScheduleCaller): Promise<T> {
    const row = await reading(this.queue.database, () => this.store.find(idOf(caller.userId, key)));
    if (!row) throw notFound();
    const { service, ...task } = row.definition.task as Partial<NewTask<T>>;
    const now = await reading(this.queue.database, () => this.store.now());
    const given = { ...task, service, userId: row.userId, status: this.ready } as NewTask<T>;
    const [created] = await this.creation.create([given], {}, { scheduleKey: key, scheduledFor: now });
    return created!;
  }

  private get ready(): number {
    return this.queue.lifeCycle.status.BEGIN;
  }

  /** Checks the task as a create does. */
  private async checkTask(task: object, userId: string): Promise<void> {
    if (typeof task !== 'object' || task === null || Array.isArray(task))
      throw invalid([{ field: 'task', rule: 'isObject', msg: 'task must be an object: what a create takes' }]);
    for (const field of ['runAt', 'status', 'userId'])
      if ((task as Record<string, unknown>)[field] !== undefined)
        throw invalid([{ field: `task.${field}`, rule: 'ofSchedule', msg: `task.${field}: the schedule decides it` }]);
    check('userId', userId, userIdRule);
    await within('task.', () => this.creation.order([{ ...task, userId, status: this.ready } as NewTask<T>]));
  }

  private *put(
    given: Pick<ScheduleRow, 'id' | 'userId' | 'key' | 'definition' | 'isCode'>,
    paused: boolean | undefined,
    most: number,
  ): Script<ScheduleRow> {
    const { store } = this;
    const known = yield* store.lock(given.id);
    if (!known && most < Infinity && (yield* store.count(given.userId, most)) >= most) throw tooMany(most);
    if (!known) yield* store.insert(given);
    const row = known ?? (yield* store.lock(given.id))!;
    const isNew = row.dueAt === null && row.nextFor === null && row.runs.length === 0 && !row.paused && !known;
    const now = yield* store.now();
    const wanted = { ...row, definition: given.definition, isCode: given.isCode, paused: paused ?? row.paused };
    const isMoved = isNew || !isSameCadence(row.definition, given.definition) || row.paused !== wanted.paused;
    const next = isMoved ? startedAt(wanted, now) : wanted;
    if (
      !isNew &&
      JSON.stringify(row.definition) === JSON.stringify(given.definition) &&
      !isMoved &&
      row.isCode === given.isCode
    )
      return row;
    yield* store.define(next);
    return (yield* store.find(given.id))!;
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
    return this.shown(row);
  }

  private shown({ userId, key, definition, paused, nextFor, lastFor, lastTaskId, ...row }: ScheduleRow): Schedule {
    const times = timesOf(definition, row.createdAt);
    const next: Date[] = [];
    for (let time = nextFor ?? undefined; time && next.length < SHOWN && !paused; time = times.after(time))
      next.push(time);
    return {
      key,
      userId,
      ...definition,
      startAt: definition.startAt === null ? null : new Date(definition.startAt),
      endAt: definition.endAt === null ? null : new Date(definition.endAt),
      paused,
      next,
      last: lastFor && lastTaskId !== null ? { scheduledFor: lastFor, taskId: lastTaskId } : null,
      runs: row.runs,
      createdAt: row.createdAt,
      updatedAt: row.updatedAt,
    };
  }
}

/** Goes on from this time. */
export function startedAt(row: ScheduleRow, now: Date): ScheduleRow {
  if (row.paused) return { ...row, dueAt: null, waitsFor: null };
  const nextFor = timesOf(row.definition, row.createdAt).after(now) ?? null;
  return { ...row, nextFor, waitsFor: null, dueAt: nextFor && late(nextFor, row.definition.jitter) };
}

/** The time with its jitter. */
export const late = (time: Date, jitter: number): Date =>
  jitter === 0 ? time : new Date(time.getTime() + Math.floor(Math.random() * jitter * 1000));

function idOf(userId: string, key: string): string {
  check('key', key, scheduleKeyRule);
  check('userId', userId, userIdRule);
  return digest('schedule', userId, key);
}

function positionOf(cursor: string): [string, string] {
  try {
    const [userId, key] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (typeof userId === 'string' && typeof key === 'string') return [userId, key];
  } catch {
    // Said below.
  }
  throw invalid([{ field: 'cursor', rule: 'cursor', msg: 'cursor must be the nextCursor of an earlier list' }]);
}

const notFound = (): TaskError => new TaskError('NOT_FOUND', { msg: 'there is no schedule of this key' });
const tooMany = (most: number): TaskError =>
  new TaskError('TOO_MANY_TASK', { msg: `you have ${most} schedules, which is the most; delete one first` });
