import { Logger } from '@nestjs/common';
import { TaskError } from '../contract/errors.js';
import type { Task } from '../contract/task.entity.js';
import { reading } from '../database/database.js';
import type { Dialect } from '../database/dialects/dialect.js';
import { Poller, type Service } from '../polling/poller.js';
import type { Queue } from '../queue/queue.js';
import { Creation } from '../queue/creation/create.js';
import { FireDue } from './fire-due.js';
import { ScheduleStore } from './schedule.store.js';
import { Schedules } from './schedules.js';
import type { CodeSchedule, SchedulesValues } from './schedules.options.js';

/** The schedules of a running queue. */
export interface SchedulesRoom<T extends Task> {
  schedules: Schedules<T>;
  /** What runs while the queue does. */
  running: Service[];
}

/**
 * Adds them to a queue that has been opened, after the hooks of all rooms. Brings the schedules of option `schedules` up
 * to date. `fail` is called with what is wrong with one of them.
 */
export async function openSchedules<T extends Task>(
  { schedules: option }: Pick<SchedulesValues, 'schedules'>,
  dialect: Dialect,
  queue: Queue<T>,
  fail: (option: string, msg: string) => never,
): Promise<SchedulesRoom<T>> {
  const store = new ScheduleStore(dialect);
  const creation = new Creation(queue);
  if (option === false) return { schedules: new Schedules(queue, store, creation, () => undefined), running: [] };
  const poller = new Poller(new FireDue(queue, store, creation));
  const schedules = new Schedules(queue, store, creation, () => poller.wake());
  const own = option === true ? {} : option;
  for (const [key, { userId, ...settings }] of Object.entries(own)) {
    try {
      await schedules.set(key, settings as never, { userId }, undefined, true);
    } catch (error) {
      if (!(error instanceof TaskError) || error.errorName !== 'INVALID_PARAM') throw error;
      const problems = error.detail as { msg: string }[];
      fail('schedules', `${key}: ${problems.map(({ msg }) => msg).join('; ')}`);
    }
  }
  await tellOfOthers(queue, store, own);
  return { schedules, running: [poller] };
}

/** A schedule may belong to a newer version of the app that runs beside this one, so none is deleted. */
async function tellOfOthers<T extends Task>(
  { database }: Queue<T>,
  store: ScheduleStore,
  own: Record<string, CodeSchedule>,
): Promise<void> {
  const rows = await reading(database, () => store.ofCode());
  const others = rows.filter(({ key, userId }) => own[key]?.userId !== userId).map(({ key }) => key);
  if (others.length > 0)
    new Logger('TaskModule').warn(
      `schedules that option \`schedules\` no longer has go on: ${others.join(', ')}; delete them to end them`,
    );
}
