import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { OperatorAction } from '../../../src/index.js';
import { call, type CallOptions } from '../../support/http.js';
import { type Host, PLACES, startHost } from '../../support/host.js';

const ALL = 'operator-token-of-ours-0123';
const READ = 'operator-token-that-reads-0';
const DAILY = { cron: '@daily', task: { input: 'report' } };

describe.each(PLACES)('the schedules of all owners, for operators, on $engine with $adapter', (where) => {
  let host: Host;
  const told: OperatorAction[] = [];
  beforeAll(async () => {
    const onOperator = (action: OperatorAction) => void told.push(action);
    const options = { schedules: true, operatorTokens: [ALL], operatorReadTokens: [READ], onOperator };
    host = await startHost({ ...where, options });
    for (const userId of ['ann', 'ben', 'cyd'])
      for (const key of ['a', 'b']) await host.tasks.schedules.set(key, DAILY, { userId });
    await host.tasks.schedules.pause('b', { userId: 'ben' });
    const over = { ...DAILY, startAt: '2020-01-01T00:00:00Z', endAt: '2020-02-01T00:00:00Z' };
    await host.tasks.schedules.set('c', over, { userId: 'cyd' });
  });
  afterAll(() => host?.close());

  const ask = (method: string, path: string, options: CallOptions = {}, token = ALL) =>
    call(method, `${host.url}/api/operator/schedules${path}`, {
      ...options,
      headers: { authorization: `Bearer ${token}` },
    });
  const found = async (query: string) =>
    (await ask('GET', query)).body.data.list.map(({ userId, key }: any) => `${userId}/${key}`);

  it('are listed by owner and key, by state, and page by page', async () => {
    const all = ['ann/a', 'ann/b', 'ben/a', 'ben/b', 'cyd/a', 'cyd/b', 'cyd/c'];
    expect(await found('')).toEqual(all);
    expect(await found('?userId=cyd')).toEqual(['cyd/a', 'cyd/b', 'cyd/c']);
    expect(await found('?state=paused')).toEqual(['ben/b']);
    expect(await found('?state=ended')).toEqual(['cyd/c']);
    expect(await found('?state=active&userId=cyd')).toEqual(['cyd/a', 'cyd/b']);
    const pages: string[] = [];
    for (let cursor: any = ''; cursor !== null;) {
      const { data }: any = (await ask('GET', `?limit=3${cursor && `&cursor=${cursor}`}`)).body;
      pages.push(...data.list.map(({ userId, key }: any) => `${userId}/${key}`));
      cursor = data.nextCursor;
    }
    expect(pages).toEqual(all);
  });

  it('of one state are looked for over a bounded number of rows', async () => {
    // 10,050 that are active, and behind them one that is paused.
    const query = (text: string) => host.app.get(DataSource).query(text);
    const [row] = await query("SELECT * FROM tasks_schedules WHERE schedule_key = 'a' AND user_id = 'ann'");
    const columns = 'id, user_id, schedule_key, definition, is_code, paused, next_for, due_at, created_at, updated_at';
    for (let from = 0; from < 10_050; from += 402) {
      const ids = Array.from({ length: 402 }, (_, n) => `bulk-${String(from + n).padStart(6, '0')}`);
      const rows = ids.map((id) => `SELECT '${id}' AS new_id`).join(' UNION ALL ');
      await query(
        `INSERT INTO tasks_schedules (${columns}) SELECT new_id, 'many', new_id, definition, 0, 0, next_for, due_at,
          created_at, updated_at FROM tasks_schedules, (${rows}) made WHERE tasks_schedules.id = '${row.id}'`,
      );
    }
    await host.tasks.schedules.set('z', { ...DAILY, paused: true }, { userId: 'many' });
    const first = (await ask('GET', '?userId=many&state=paused')).body.data;
    expect([first.list, typeof first.nextCursor]).toEqual([[], 'string']);
    const second = (await ask('GET', `?userId=many&state=paused&cursor=${first.nextCursor}`)).body.data;
    expect([second.list.map(({ key }: any) => key), second.nextCursor]).toEqual([['z'], null]);
    await query("DELETE FROM tasks_schedules WHERE user_id = 'many'");
  });

  it('are shown, paused, resumed, run and deleted, and the audit hears of it', async () => {
    const json = { userId: 'ann' };
    const shown = (await ask('GET', '/a?userId=ann')).body.data;
    expect(shown).toMatchObject({ userId: 'ann', key: 'a', cron: '@daily', state: 'active' });
    expect((await ask('POST', '/a/pause', { json })).body.data).toMatchObject({ userId: 'ann', paused: true });
    expect((await host.tasks.schedules.get('a', json)).paused).toBe(true);
    expect((await ask('POST', '/a/resume', { json })).body.data).toMatchObject({ paused: false, next: shown.next });
    const task = (await ask('POST', '/a/run', { json })).body.data;
    expect(task).toMatchObject({ userId: 'ann', scheduleKey: 'a', input: 'report', workerId: null });
    expect((await ask('DELETE', '/a?userId=ann')).body.data).toEqual({ key: 'a' });
    expect((await ask('DELETE', '/a', { json })).status).toBe(404);
    const by = expect.any(String);
    expect(told).toEqual([
      { action: 'pauseSchedule', by, count: 1, detail: { userId: 'ann', key: 'a' } },
      { action: 'resumeSchedule', by, count: 1, detail: { userId: 'ann', key: 'a' } },
      { action: 'runSchedule', by, count: 1, detail: { userId: 'ann', key: 'a', taskId: task.taskId } },
      { action: 'deleteSchedule', by, count: 1, detail: { userId: 'ann', key: 'a' } },
    ]);
  });

  it('are changed by nobody who may only read, and need their owner', async () => {
    const json = { userId: 'ben' };
    expect((await ask('GET', '/a?userId=ben', {}, READ)).status).toBe(200);
    for (const path of ['/a/pause', '/a/resume', '/a/run'])
      expect((await ask('POST', path, { json }, READ)).body.data.code).toBe(14002);
    expect((await ask('DELETE', '/a', { json }, READ)).body.data.code).toBe(14002);
    const refused = await ask('POST', '/a/pause', { json: {} });
    expect([refused.status, refused.body.data.detail[0].field]).toEqual([400, 'userId']);
    expect((await ask('GET', '/a?userId=ann')).status).toBe(404);
  });
});
