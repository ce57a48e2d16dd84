import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { TaskClient } from '../../../src/client/index.js';
import type { OperatorAction } from '../../../src/index.js';
import { call, type CallOptions } from '../../support/http.js';
import { type Host, PLACES, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

const ALL = 'operator-token-of-ours-0123';
const READ = 'operator-token-that-reads-0';

describe.each(PLACES)('the batches of all owners, for operators, on $engine with $adapter', (where) => {
  let host: Host;
  const ids: Record<string, string> = {};
  const told: OperatorAction[] = [];
  beforeAll(async () => {
    const onOperator = (action: OperatorAction) => void told.push(action);
    const options = { operatorTokens: [ALL], operatorReadTokens: [READ], onOperator };
    host = await startHost({ ...where, options });
    const make = async (name: string, userId: string, count: number, seal = true) => {
      const tasks = Array.from({ length: count }, (_, n) => ({ input: `${n}`, service: name }));
      ids[name] = (await host.tasks.batches.create({ tasks, seal }, { userId })).batchId;
    };
    const end = async (name: string, status: number) => {
      const claimed = await host.tasks.claim({ service: name, limit: 10 });
      for (const { taskId, leaseToken } of claimed)
        await host.tasks.report(taskId, { leaseToken: leaseToken!, status });
    };
    await make('open', 'ann', 1, false);
    await make('running', 'ben', 2);
    await make('finished', 'ann', 1);
    await make('failed', 'ben', 2);
    await make('cancelled', 'cyd', 1);
    await make('empty', 'cyd', 0);
    await end('finished', 30);
    await end('failed', -10);
    await host.tasks.batches.cancel(ids.cancelled!);
    await until('the end', async () => (await host.tasks.batches.get(ids.cancelled!)).endedAt !== null);
  });
  afterAll(() => host?.close());

  const ask = (method: string, path: string, options: CallOptions = {}, token = ALL) =>
    call(method, `${host.url}/api/operator/batches${path}`, {
      ...options,
      headers: { authorization: `Bearer ${token}` },
    });
  const nameOf = (batchId: string) => Object.keys(ids).find((name) => ids[name] === batchId);
  const found = async (query: string) =>
    (await ask('GET', query)).body.data.list.map(({ batchId }: any) => nameOf(batchId));

  it('are listed newest first, by owner, by state, and page by page', async () => {
    const all = ['empty', 'cancelled', 'failed', 'finished', 'running', 'open'];
    expect(await found('')).toEqual(all);
    expect(await found('?userId=ann')).toEqual(['finished', 'open']);
    expect(await found('?state=finished')).toEqual(['empty', 'finished']);
    for (const state of ['open', 'running', 'failed', 'cancelled'])
      expect(await found(`?state=${state}`)).toEqual([state]);
    expect(await found('?state=failed&userId=ann')).toEqual([]);
    const pages: string[] = [];
    for (let cursor: any = ''; cursor !== null;) {
      const { data }: any = (await ask('GET', `?limit=4${cursor && `&cursor=${cursor}`}`)).body;
      pages.push(...data.list.map(({ batchId }: any) => nameOf(batchId)));
      cursor = data.nextCursor;
    }
    expect(pages).toEqual(all);
    expect((await ask('GET', '?state=lost')).body.data.detail[0].field).toBe('state');
  });

  it('of one state are looked for over a bounded number of rows', async () => {
    const query = (text: string) => host.app.get(DataSource).query(text);
    const columns = 'user_id, sealed, on_failure, cancelling, total, finished, failed, cancelled, created_at, ended_at';
    for (let from = 0; from < 10_050; from += 402) {
      const made = Array.from({ length: 402 }, (_, n) => `ffffffff-bulk-${String(from + n).padStart(6, '0')}`);
      const rows = made.map((id) => `SELECT '${id}' AS new_id`).join(' UNION ALL ');
      await query(
        `INSERT INTO tasks_batches (id, ${columns}) SELECT new_id, ${columns} FROM tasks_batches, (${rows}) made
          WHERE tasks_batches.id = '${ids.finished}'`,
      );
    }
    const first = (await ask('GET', '?state=failed')).body.data;
    expect([first.list, typeof first.nextCursor]).toEqual([[], 'string']);
    const second = (await ask('GET', `?state=failed&cursor=${first.nextCursor}`)).body.data;
    expect([second.list.map(({ batchId }: any) => nameOf(batchId)), second.nextCursor]).toEqual([['failed'], null]);
    await query("DELETE FROM tasks_batches WHERE id LIKE 'ffffffff-bulk-%'");
  });

  it('are shown with their owner, their tasks and their layers', async () => {
    const batch = (await ask('GET', `/${ids.failed}`, {}, READ)).body.data;
    expect(batch).toMatchObject({ userId: 'ben', state: 'failed', total: 2, counts: { failed: 2 }, progress: 100 });
    const { list } = (await ask('GET', `/${ids.failed}/tasks?limit=1`, {}, READ)).body.data;
    expect(list).toMatchObject([{ status: -10, service: 'failed', layer: 0, dependsOn: [] }]);
    const layers = (await ask('GET', `/${ids.failed}/layers`, {}, READ)).body.data;
    expect(layers).toMatchObject({ list: [{ layer: 0, total: 2, counts: { failed: 2 } }], nextCursor: null });
    for (const path of ['', '/tasks', '/layers']) expect((await ask('GET', `/nothing${path}`)).status).toBe(404);
  });

  it('narrow a search over tasks, and a change of many', async () => {
    const batchId = ids.failed!;
    const tasks = (method: string, options: CallOptions) =>
      call(method, `${host.url}/api/operator/tasks${method === 'POST' ? '/list' : ''}`, {
        ...options,
        headers: { authorization: `Bearer ${READ}` },
      });
    const found = (await tasks('GET', { query: { batchId } })).body.data;
    expect(found).toMatchObject({
      list: [
        { batchId, userId: 'ben', input: '1' },
        { batchId, userId: 'ben', input: '0' },
      ],
      nextCursor: null,
    });
    expect((await tasks('POST', { json: { batchId, status: -10 } })).body.data).toEqual(found);
    expect((await tasks('POST', { json: { batchId, userId: 'ann' } })).body.data.list).toEqual([]);
    const url = `${host.url}/api/operator/tasks?batchId=${batchId}&batchId=${batchId}`;
    for (const { status, body } of [
      await tasks('GET', { query: { batchId: 'x'.repeat(37) } }),
      await tasks('POST', { json: { batchId: [batchId] } }),
      await call('GET', url, { headers: { authorization: `Bearer ${READ}` } }),
    ])
      expect([status, body.data.detail?.[0].field]).toEqual([400, 'batchId']);
    const { operator } = new TaskClient({ baseUrl: host.url, token: ALL });
    expect((await operator.list({ batchId, pageNum: 1 })).list).toMatchObject([{ input: '1' }]);
    expect(await operator.bulks.count({ action: 'retry', filter: { batchId } })).toEqual({ count: 2, isExact: true });
    const json = { action: 'retry', filter: { batchId }, dryRun: true };
    const counts = ['ben', 'ann'].map(
      async (user) => (await host.user(user, 'POST', '/api/tasks/bulk', { json })).body,
    );
    expect(await Promise.all(counts)).toMatchObject([{ data: { count: 2 } }, { data: { count: 0 } }]);
  });

  it('are sealed and cancelled, and the audit hears of it', async () => {
    const [open, running] = [ids.open!, ids.running!];
    expect((await ask('PUT', `/${running}`, { json: { status: -20 } }, READ)).body.data.code).toBe(14002);
    expect((await ask('PUT', `/${running}`, { json: { status: 30 } })).body.data.detail[0].field).toBe('status');
    expect((await ask('PUT', `/${open}`, { json: { seal: true } })).body.data).toMatchObject({
      userId: 'ann',
      sealed: true,
      state: 'running',
    });
    await ask('PUT', `/${running}`, { json: { status: -20 } });
    await until('the end', async () => (await ask('GET', `/${running}`)).body.data.state === 'cancelled');
    expect((await ask('PUT', `/${ids.finished}`, { json: { status: -20 } })).status).toBe(409);
    expect((await ask('PUT', `/nothing`, { json: { status: -20 } })).status).toBe(404);
    const by = expect.any(String);
    expect(told).toEqual([
      { action: 'sealBatch', by, count: 1, detail: { userId: 'ann', batchId: open } },
      { action: 'cancelBatch', by, count: 1, detail: { userId: 'ben', batchId: running } },
    ]);
  });
});
