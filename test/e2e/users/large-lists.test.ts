import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../support/answers.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import type { Answer } from '../../support/http.js';

const MOST = 8 * 1024 * 1024;
/** Six bytes for each of them, as JSON. */
const CONTROL = '\u0001'.repeat(65_535);
/** Long and short, with one to six bytes a character as JSON. */
const TEXTS = [
  CONTROL,
  'x'.repeat(65_535),
  '界'.repeat(21_845),
  `${'"\\'.repeat(20_000)}🎉`,
  'short',
  '',
  '\u0001'.repeat(900),
];

describe.each(PLACES)('lists of large tasks on $engine with $adapter', (where) => {
  let host: Host;
  /** Newest first. */
  const ids: string[] = [];
  beforeAll(async () => {
    host = await startHost(where);
    for (let made = 0; made < 70; made++) {
      const [input, args] = [TEXTS[made % TEXTS.length]!, TEXTS[(made * 3) % TEXTS.length]];
      ids.unshift((await host.tasks.create({ userId: 'alice', input, args })).taskId);
    }
  });
  afterAll(() => host?.close());
  const list = (query: Record<string, string | number>, userId = 'alice'): Promise<Answer> =>
    host.user(userId, 'GET', '/api/tasks', { query });
  const idsOf = (answer: Answer): string[] => dataOf(answer).list.map((task: { taskId: string }) => task.taskId);
  const refusal = (answer: Answer): { field: string; rule: string; fits: number; msg: string } => {
    expect([answer.status, answer.body.data.code]).toEqual([413, 14008]);
    return answer.body.data.detail[0];
  };

  it('by number are refused beyond 8 MiB as JSON, and say how many fit', async () => {
    const { field, rule, fits, msg } = refusal(await list({ pageNum: 100 }));
    expect([field, rule]).toEqual(['pageNum', 'answerBytes']);
    expect(msg).toContain(`pageNum=${fits}`);
    const most = await list({ pageNum: fits });
    expect(idsOf(most)).toEqual(ids.slice(0, fits));
    expect(most.text.length).toBeLessThanOrEqual(MOST + 1024);
    expect(refusal(await list({ pageNum: fits + 1 })).fits).toBe(fits);
    expect(idsOf(await list({ page: 2, pageNum: 5 }))).toEqual(ids.slice(5, 10));
  });

  it('by cursor end early, and the next one goes on', async () => {
    const seen = idsOf(await list({ pageNum: 1 }));
    let { nextCursor } = dataOf(await list({ pageNum: 1 }));
    let pages = 0;
    for (; nextCursor !== null; pages++) {
      const answer = await list({ pageNum: 100, cursor: nextCursor });
      expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(MOST + 1024);
      seen.push(...idsOf(answer));
      ({ nextCursor } = dataOf(answer));
    }
    expect(seen).toEqual(ids);
    expect(pages).toBeGreaterThan(1);
  });

  it('by ids are refused, too', async () => {
    const ask = (some: string[]): Promise<Answer> =>
      host.user('alice', 'POST', '/api/tasks/list', { json: { ids: some } });
    const { field, fits } = refusal(await ask(ids));
    expect(field).toBe('ids');
    expect(idsOf(await ask(ids.slice(0, fits)))).toEqual(ids.slice(0, fits));
  });

  it('show each text as it is alone, however long', async () => {
    for (let page = 0; page < ids.length; page += 14) {
      const asked = ids.slice(page, page + 14);
      const { list: shown } = dataOf(await list({ ids: JSON.stringify(asked) }));
      for (const task of shown)
        expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${task.taskId}`))).toEqual(task);
    }
  });

  it('are bounded for code of the host, too', async () => {
    const whole = host.tasks.list({ userId: 'alice', pageNum: 100 });
    await expect(whole).rejects.toMatchObject({ errorName: 'TOO_LARGE', detail: [{ rule: 'answerBytes' }] });
    const { nextCursor: cursor } = await host.tasks.list({ userId: 'alice', pageNum: 1 });
    const { list: some, nextCursor } = await host.tasks.list({ userId: 'alice', pageNum: 100, cursor: cursor! });
    expect(some.map(({ taskId }) => taskId)).toEqual(ids.slice(1, 1 + some.length));
    expect(nextCursor).not.toBeNull();
  });

  it('are whole where many small tasks are asked for', async () => {
    const tasks = Array.from({ length: 1000 }, (_, index) => ({ userId: 'bob', input: `${index} ${'x'.repeat(500)}` }));
    for (let made = 0; made < 3; made++) await host.tasks.createMany(tasks);
    const { list: all, nextCursor } = dataOf(await list({ pageNum: 5000 }, 'bob'));
    expect([all.length, nextCursor]).toEqual([3000, null]);
    expect(new Set(all.map(({ input }: { input: string }) => input)).size).toBe(1000);
  });

  it('are whole where ten thousand tiny ones are asked for', async () => {
    const tasks = Array.from({ length: 1000 }, (_, index) => ({ userId: 'tina', input: `${index}` }));
    for (let made = 0; made < 10; made++) await host.tasks.createMany(tasks);
    const answer = await list({ pageNum: 10_000 }, 'tina');
    expect([dataOf(answer).list.length, dataOf(answer).nextCursor]).toEqual([10_000, null]);
    expect(answer.text.length).toBeLessThan(MOST);
  });
});

describe.each(PLACES)('many tasks at once on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { bodyLimit: 64 * 1024 * 1024 } });
  });
  afterAll(() => host?.close());

  it('are not created where the answer would be too large', async () => {
    const json = Array.from({ length: 12 }, () => ({ input: CONTROL, args: CONTROL }));
    const headers = { 'Idempotency-Key': 'large' };
    for (const given of [{ json }, { json, headers }])
      expectFailure(await host.user('carol', 'POST', '/api/tasks', given), 'TOO_LARGE', ['body', 'answerBytes']);
    expect(dataOf(await host.user('carol', 'GET', '/api/tasks')).list).toEqual([]);
    const fewer = await host.user('carol', 'POST', '/api/tasks', { json: json.slice(0, 10), headers });
    expect(dataOf(fewer).list).toHaveLength(10);
    expect((await host.tasks.createMany(json.map((task) => ({ ...task, userId: 'carol' })))).length).toBe(12);
  });

  it('that grew since are named, where a key asks for them again', async () => {
    const post = () =>
      host.user('dora', 'POST', '/api/tasks', {
        json: Array.from({ length: 20 }, (_, index) => ({ input: `${index}`, service: 'grow', status: 10 })),
        headers: { 'Idempotency-Key': 'grows' },
      });
    const { list: made } = dataOf(await post());
    expect(dataOf(await post()).list).toEqual(made);
    const claimed = await host.tasks.claim({ service: 'grow', limit: 20 });
    for (const { taskId, leaseToken } of claimed)
      await host.tasks.report(taskId, { leaseToken: leaseToken!, status: 30, output: CONTROL, temp: CONTROL });
    const again = await post();
    expect([again.status, again.body.data.detail[0].rule]).toEqual([413, 'answerBytes']);
    expect(again.body.data.detail[0].ids).toEqual(made.map(({ taskId }: { taskId: string }) => taskId));
  });
});
