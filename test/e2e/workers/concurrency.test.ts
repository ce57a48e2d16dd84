import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf } from '../../support/answers.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const TASKS = 500;
const CLAIMERS = 32;

describe.each(PLACES)('32 claimers at once on $engine with $adapter', (where) => {
  let host: Host;
  const ids: string[] = [];
  const claimed: string[] = [];

  beforeAll(async () => {
    host = await startHost(where);
    const service = (i: number): string => `service ${i % 3}`;
    for (let i = 0; i < TASKS; i += 50)
      ids.push(
        ...(await Promise.all(
          Array.from({ length: 50 }, (_, j) =>
            host.tasks.create({ userId: 'alice', input: `${i + j}`, service: service(j), status: 10 }),
          ),
        ).then((tasks) => tasks.map((task) => task.taskId))),
      );
  });
  afterAll(() => host?.close());

  async function claimAll(query: Record<string, string>): Promise<void> {
    for (;;) {
      const data = dataOf(await host.worker('GET', '/api/crontask', { query }));
      if (!data.task) return;
      claimed.push(data.task.taskId);
    }
  }

  it('get 500 tasks between them, none twice and none lost', async () => {
    // Some work for one service, some for all: both ways of claiming meet at the same tasks.
    const query = (i: number): Record<string, string> => (i % 4 === 0 ? { service: `service ${i % 3}` } : {});
    await Promise.all(Array.from({ length: CLAIMERS }, (_, i) => claimAll(query(i))));
    // A claimer may find nothing while others hold the last tasks, and their claims may yet fail. What a failed claim
    // gives back is found by the next look at the front of the index: within a second, where the last one was slow.
    await until('the last task', async () => {
      await claimAll({});
      return claimed.length >= TASKS;
    });
    expect(claimed).toHaveLength(TASKS);
    expect([...claimed].sort()).toEqual([...ids].sort());
  });

  it('leave every task held, taken once', async () => {
    const { list: tasks } = await host.tasks.list({ userId: 'alice', pageNum: 1000 });
    expect(tasks).toHaveLength(TASKS);
    expect(tasks.filter(({ status, attempts }) => status !== 20 || attempts !== 1)).toEqual([]);
  });

  it('find one named task once', async () => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'one', status: 10 });
    const claim = () => host.worker('GET', '/api/crontask', { query: { taskId } });
    const answers = await Promise.all(Array.from({ length: CLAIMERS }, claim));
    expect(answers.map(dataOf).filter((data) => data.task)).toHaveLength(1);
  });
});
