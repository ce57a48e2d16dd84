import { describe, expect, it } from '@jest/globals';
import { type FeedState, TaskFeed } from '../../../src/dashboard/app/pages/tasks/feed.js';
import type { OperatorListQuery, OperatorTask, OperatorTaskFilter } from '../../../src/protocol/operator.types.js';

const idOf = (n: number): string => String(n).padStart(6, '0');
const task = (n: number, more: Partial<OperatorTask> = {}): OperatorTask =>
  ({ taskId: idOf(n), status: 10, progress: 0, input: 'x'.repeat(1000), error: null, ...more }) as OperatorTask;

/** A queue with these tasks, newest first, whose search ends after so many rows. */
class Tasks {
  list: OperatorTask[];
  asked: OperatorListQuery[] = [];
  time = 0;
  takes = 0;

  constructor(
    count: number,
    private readonly bound = Infinity,
  ) {
    this.list = Array.from({ length: count }, (_, n) => task(count - n));
  }

  open(filter: OperatorTaskFilter = {}) {
    const states: FeedState[] = [];
    const feed = new TaskFeed({
      filter,
      now: () => this.time,
      onChange: (state) => states.push(state),
      read: async (query) => {
        this.asked.push(query);
        this.time += this.takes;
        return this.answer(query);
      },
    });
    return { feed, states };
  }

  private answer({ ids, pageNum = 50, cursor, status }: OperatorListQuery) {
    if (ids) {
      const list = this.list.filter(({ taskId }) => ids.includes(taskId));
      return { list, nextCursor: null, searchedTo: null };
    }
    const after = this.list.filter(({ taskId }) => cursor === undefined || taskId < cursor);
    const walked = after.slice(0, this.bound);
    const fits = walked.filter((one) => status === undefined || one.status === status);
    const list = fits.slice(0, pageNum);
    const end = list.length === pageNum ? list.at(-1) : walked.at(-1);
    const isEnd = end === undefined || end === this.list.at(-1);
    return { list, nextCursor: isEnd ? null : end.taskId, searchedTo: isEnd ? null : 'then' };
  }
}

describe('the list of tasks', () => {
  it('walks to the end by cursors, with more rows each time, and keeps no texts', async () => {
    const tasks = new Tasks(5000);
    const { feed } = tasks.open();
    await feed.run();
    expect(feed.state.rows).toHaveLength(100);
    while (feed.state.end !== 'end') await feed.more();
    expect(feed.state.rows.map(({ taskId }) => taskId)).toEqual(tasks.list.map(({ taskId }) => taskId));
    expect(tasks.asked.map(({ pageNum }) => pageNum)).toEqual([100, 200, 400, 800, 1000, 1000, 1000, 1000]);
    expect(JSON.stringify(feed.state.rows)).not.toContain('xxx');
    await feed.more();
    expect(tasks.asked).toHaveLength(8);
  });

  it('asks again only for what is in sight, and changes it in place', async () => {
    const tasks = new Tasks(300);
    const { feed } = tasks.open();
    await feed.run();
    feed.see(feed.state.rows.slice(40, 60));
    tasks.list[50] = task(250, { status: 20, progress: 42 });
    tasks.list.splice(55, 1);
    await feed.run();
    expect(tasks.asked.at(-1)!.ids).toHaveLength(20);
    expect(feed.state.rows[50]).toMatchObject({ taskId: idOf(250), status: 20, progress: 42 });
    expect(feed.state.rows[55]).toMatchObject({ taskId: idOf(245), isGone: true });
    expect(feed.state.rows).toHaveLength(100);
  });

  it('gathers what is new until it is asked for', async () => {
    const tasks = new Tasks(300);
    const { feed } = tasks.open();
    await feed.run();
    await feed.more();
    tasks.list.unshift(task(302), task(301));
    await feed.run();
    expect(feed.state.fresh).toBe(2);
    expect(feed.state.rows[0]!.taskId).toBe(idOf(300));
    feed.showNew();
    expect(feed.state.rows.map(({ taskId }) => taskId)).toEqual(tasks.list.map(({ taskId }) => taskId));
    expect(feed.state.fresh).toBe(0);
  });

  it('begins again if there is more new than one look reads', async () => {
    const tasks = new Tasks(300);
    const { feed } = tasks.open();
    await feed.run();
    tasks.list.unshift(...Array.from({ length: 500 }, (_, n) => task(800 - n)));
    await feed.run();
    expect(feed.state).toMatchObject({ fresh: 100, isFreshAtLeast: true });
    feed.showNew();
    while (feed.state.end !== 'end') await feed.more();
    expect(feed.state.rows.map(({ taskId }) => taskId)).toEqual(tasks.list.map(({ taskId }) => taskId));
  });

  it('takes out what no longer fits when what is new is shown', async () => {
    const tasks = new Tasks(10);
    const { feed } = tasks.open({ status: 10 });
    await feed.run();
    tasks.list[3] = task(7, { status: 30 });
    tasks.list.unshift(task(11));
    feed.see(feed.state.rows);
    await feed.run();
    expect(feed.state.rows[3]).toMatchObject({ taskId: idOf(7), status: 30 });
    await feed.run();
    expect(feed.state.fresh).toBe(1);
    feed.showNew();
    expect(feed.state.rows.map(({ taskId }) => Number(taskId))).toEqual([11, 10, 9, 8, 6, 5, 4, 3, 2, 1]);
  });

  it('stops where a search ended early, and goes on until it finds something if it is asked to', async () => {
    const tasks = new Tasks(1000, 100);
    tasks.list[950] = task(50, { status: -10 });
    const { feed } = tasks.open({ status: -10 });
    await feed.run();
    expect(feed.state).toMatchObject({ rows: [], end: 'bounded', searchedTo: 'then' });
    await feed.more();
    expect(tasks.asked).toHaveLength(1);
    await feed.more(true);
    expect(feed.state.rows).toHaveLength(1);
    expect(tasks.asked).toHaveLength(10);
    // What the reader has found stays, although a look at the newest finds nothing.
    await feed.run();
    expect(feed.state.rows).toHaveLength(1);
  });

  it('looks for new tasks for a tenth of the time at most', async () => {
    const tasks = new Tasks(10);
    tasks.takes = 500;
    const { feed } = tasks.open({ status: 10 });
    await feed.run();
    const looks = () => tasks.asked.filter(({ ids }) => !ids).length;
    await feed.run();
    expect(looks()).toBe(2);
    feed.see(feed.state.rows);
    tasks.takes = 0;
    for (let n = 0; n < 4; n++) {
      tasks.time += 1000;
      await feed.run();
    }
    expect(looks()).toBe(2);
    tasks.time += 2000;
    await feed.run();
    expect(looks()).toBe(3);
  });

  it('looks for none where none can fit', async () => {
    const tasks = new Tasks(10);
    const { feed } = tasks.open({ createdTo: '2020-01-01T00:00:00Z' });
    await feed.run();
    await feed.run();
    expect(tasks.asked).toHaveLength(1);
  });

  it('says why rows further down could not be read, and reads them when asked again', async () => {
    const tasks = new Tasks(300);
    const { feed } = tasks.open();
    await feed.run();
    const { list } = tasks;
    tasks.list = undefined as never;
    await feed.more();
    expect(feed.state.moreFailure).toBeDefined();
    tasks.list = list;
    await feed.more();
    expect(feed.state.rows).toHaveLength(100);
    await feed.more(true);
    expect(feed.state).toMatchObject({ moreFailure: undefined, isReading: false });
    expect(feed.state.rows).toHaveLength(300);
  });
});
