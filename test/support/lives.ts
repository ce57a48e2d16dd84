import { expect } from '@jest/globals';
import type { Host } from './host.js';

/** What tells whether a text stays a value, in the one reading of quotes and backslashes or in the other. */
export const NASTY = [
  `' OR 1=1 -- `,
  `\\' OR 1=1 -- `,
  `\\\\' OR 1=1 -- `,
  `'; UPDATE tasks SET user_id = 'mallory'; -- `,
  `\\'; UPDATE tasks SET user_id = 'mallory'; -- `,
  `" OR ""="`,
  '\\',
  '\\\\',
  "'",
  "\u0001'\u0001",
  '?? ? :name $1 é 🎉 \r\n\t\b\x1a',
];
/** A life of tasks that any misreading of values or answers would break. */
export async function lives(host: Host): Promise<void> {
  const alice = (method: string, path: string, options = {}) => host.user('alice', method, path, options);
  const bob = await host.tasks.create({ userId: 'bob', input: 'bob', service: 'hidden' });
  for (const [index, text] of NASTY.entries()) {
    const service = text.slice(0, 64);
    const made = await alice('POST', '/api/tasks', {
      json: { input: text, args: text, status: 10, service: service.trim() },
    });
    if (made.status === 200) {
      expect(made.body.data).toMatchObject({ input: text, status: 10, attempt: 0, priority: 0 });
      const { taskId } = made.body.data;
      const claimed = await host.worker('POST', '/api/crontask', { json: { taskId } });
      expect(claimed.body.data).toMatchObject({ task: { taskId, input: text }, attempt: 1 });
      const json = { status: 30, output: text, temp: text, progress: 50, leaseToken: claimed.body.data.leaseToken };
      const ended = await host.worker('PUT', `/api/crontask/${taskId}`, { json });
      expect(ended.body.data.task).toMatchObject({ output: text, temp: text, status: 30 });
      const read = await alice('GET', `/api/tasks/${taskId}`);
      expect(read.body.data).toMatchObject({ input: text, output: text, status: 30, progress: 100 });
      expect(Math.abs(Date.parse(read.body.data.createdAt) - Date.now())).toBeLessThan(3_600_000);
    }
    const listed = await alice('GET', '/api/tasks', { query: { service, pageNum: 100 } });
    const owners = (listed.body.data.list ?? []) as { input: string }[];
    expect([index, owners.filter(({ input }) => input === 'bob')]).toEqual([index, []]);
  }
  expect(await host.tasks.get(bob.taskId)).toMatchObject({ userId: 'bob', input: 'bob', status: bob.status });
  expect((await host.tasks.list({ userId: 'mallory' })).list).toEqual([]);
}
