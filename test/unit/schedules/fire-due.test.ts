import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { FireDue } from '../../../src/schedules/fire-due.js';
import { ENGINES } from '../../support/databases.js';
import { ownQueue } from '../schema/fixtures/own-queue.js';

const SECOND = 1000;
/** What one look makes up for. */
const MOST = 100;

describe.each(ENGINES)('two processes that look for schedules that are due, on %s', (engine) => {
  const own = ownQueue(engine, { schedules: true });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const textOf = (time: number): string => {
    const text = new Date(time).toISOString();
    return engine === 'postgres' ? `'${text}'` : `'${text.slice(0, -1).replace('T', ' ')}'`;
  };
  const looker = (): FireDue<any> => {
    const { queue, store, creation } = own.service.schedules as any;
    return new FireDue(queue, store, creation);
  };

  it('create the task of each time once, though the schedule is due at the same time as before', async () => {
    const now = Math.floor(Date.now() / SECOND) * SECOND;
    const startAt = new Date(now - 300 * SECOND);
    const settings = {
      every: 1,
      startAt,
      overlap: 'allow',
      catchUp: 'all',
      jitter: 1000,
      task: { input: 'x' },
    } as const;
    await own.service.schedules.set('late', settings, { userId: 'alice' });
    await own.dataSource.query(
      `UPDATE tasks_schedules SET next_for = ${textOf(startAt.getTime())}, due_at = ${textOf(now - 100 * SECOND)}`,
    );
    // The jitter of the next time makes up for the distance.
    jest.spyOn(Math, 'random').mockReturnValue(0.1);
    const [first, second] = [looker() as any, looker()];
    const prepare = first.prepare.bind(first);
    first.prepare = async (...args: unknown[]) => {
      const prepared = await prepare(...args);
      await second.run(() => false);
      return prepared;
    };
    await first.run(() => false);
    const { list } = await own.service.operator.search({ scheduleKey: 'late', pageNum: 1000 });
    const times = list.map(({ scheduledFor }) => scheduledFor!.getTime()).sort((a, b) => a - b);
    expect(times).toEqual(Array.from({ length: MOST }, (_, n) => startAt.getTime() + n * SECOND));
  });
});
