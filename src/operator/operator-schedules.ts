import type { Task } from '../contract/task.entity.js';
import type { Schedule } from '../schedules/schedule.js';
import type { ScheduleList, ScheduleListOptions, Schedules } from '../schedules/schedules.js';
import type { Audit, OperatorCall } from './audit.js';

/** One schedule: a key is unique only for its owner. */
export interface OwnedSchedule {
  userId: string;
  key: string;
}

/** The schedules of all owners, for operators. Each action is told to `onAction`. */
export class OperatorSchedules<T extends Task = Task> {
  constructor(
    private readonly schedules: Schedules<T>,
    private readonly audit: Audit,
  ) {}

  /** In the order of owners and keys. INVALID_PARAM. */
  async list(options: ScheduleListOptions = {}): Promise<ScheduleList> {
    return this.schedules.list(options);
  }

  /** One schedule. NOT_FOUND. */
  async get({ userId, key }: OwnedSchedule): Promise<Schedule> {
    return this.schedules.get(key, { userId });
  }

  /** Creates no tasks until it is resumed. NOT_FOUND. */
  async pause({ userId, key }: OwnedSchedule, call: OperatorCall = {}): Promise<Schedule> {
    const schedule = await this.schedules.pause(key, { userId });
    this.tell('pauseSchedule', { userId, key }, call);
    return schedule;
  }

  /** Goes on with the next time. NOT_FOUND. */
  async resume({ userId, key }: OwnedSchedule, call: OperatorCall = {}): Promise<Schedule> {
    const schedule = await this.schedules.resume(key, { userId });
    this.tell('resumeSchedule', { userId, key }, call);
    return schedule;
  }

  /** Creates its task now, also while the last one runs. Its times stay. NOT_FOUND, TOO_MANY_TASK. */
  async run({ userId, key }: OwnedSchedule, call: OperatorCall = {}): Promise<T> {
    const task = await this.schedules.run(key, { userId });
    this.tell('runSchedule', { userId, key, taskId: task.taskId }, call);
    return task;
  }

  /** Deletes it. Its tasks stay. NOT_FOUND. */
  async delete({ userId, key }: OwnedSchedule, call: OperatorCall = {}): Promise<void> {
    await this.schedules.delete(key, { userId });
    this.tell('deleteSchedule', { userId, key }, call);
  }

  private tell(action: string, detail: Record<string, unknown>, { by }: OperatorCall): void {
    this.audit.tell({ action, by, count: 1, detail });
  }
}
