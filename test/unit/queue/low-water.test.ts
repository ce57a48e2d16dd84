import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TASK_STATUS } from '../../../src/index.js';
import type { TaskQueue } from '../../../src/task.bootstrap.js';
import { connect, openQueue } from '../schema/fixtures/queue.js';
import { borrowDatabase, giveBack } from '../../support/database-pool.js';
import { ENGINES, type TestDatabase } from '../../support/databases.js';

const { INIT, BEGIN } = TASK_STATUS;

describe.each(ENGINES)('below the mark that claims begin at, on %s', (engine) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let queue: TaskQueue;
  beforeEach(async () => {
    database = await borrowDatabase(engine);
    dataSource = await connect(database);
    queue = await openQueue(dataSource);
  });
  afterEach(async () => {
    await queue?.close();
    await dataSource?.destroy();
    await giveBack(database);
  });

  const create = async (input: string, values = {}): Promise<string> =>
    (await queue.service.create({ userId: 'alice', input, status: BEGIN, ...values })).taskId;
  const claim = async (): Promise<string | undefined> =>
    (await queue.service.claim({ service: 'default', group: 'g' }))[0]?.taskId;
  const setReady = (id: string): Promise<unknown> =>
    dataSource.query(`UPDATE tasks SET status = ${BEGIN} WHERE id = '${id}'`);

  it('plain SQL makes a task ready: it is claimed at once, when nothing else is ready', async () => {
    const old = await create('old', { status: INIT, group: 'g' });
    for (let times = 0; times < 20; times++) {
      const task = await create('young', { group: 'g' });
      expect(await claim()).toBe(task);
    }
    await setReady(old);
    expect(await claim()).toBe(old);
  });

  it('plain SQL makes a task ready: it is claimed within a second or so of a steady stream', async () => {
    const old = await create('old', { status: INIT, group: 'g' });
    await create('ahead', { group: 'g' });
    await claim();
    await setReady(old);
    const start = Date.now();
    // There is always one more that is younger.
    await create('ahead', { group: 'g' });
    for (let found; found !== old; found = await claim()) {
      expect(Date.now() - start).toBeLessThan(30_000);
      await create('young', { group: 'g' });
    }
  });

  it('this process makes a task ready: it comes first', async () => {
    const old = await create('old', { status: INIT, group: 'g' });
    const young = [await create('first', { group: 'g' }), await create('second', { group: 'g' })];
    expect(await claim()).toBe(young[0]);
    await queue.service.markReady(old);
    expect(await claim()).toBe(old);
    const urgent = await create('urgent', { group: 'g', priority: -1 });
    expect(await claim()).toBe(urgent);
    expect(await claim()).toBe(young[1]);
    expect(await claim()).toBeUndefined();
  });

  it('and what was given back comes first again', async () => {
    const [first, second] = [await create('first', { group: 'g' }), await create('second', { group: 'g' })];
    const [task] = await queue.service.claim({ service: 'default', group: 'g', workerId: 'w' });
    expect(task!.taskId).toBe(first);
    await queue.service.release(task!.taskId, { leaseToken: task!.leaseToken! });
    expect(await claim()).toBe(first);
    expect(await claim()).toBe(second);
  });
});
