import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../support/answers.js';
import { type EventStream, openStream } from '../../support/event-stream.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';
import { until } from '../../support/until.js';

describe.each(BATTERY)('Watching on $engine with $adapter', (place) => {
  let host: Host;
  const open: EventStream[] = [];

  beforeAll(async () => {
    host = await startHost(place);
  });
  afterAll(async () => {
    open.forEach((stream) => stream.close());
    await host.close();
  });

  const watch = async (user: string, query: string, headers = {}): Promise<EventStream> => {
    const stream = await openStream(`${host.url}/api/tasks/events?${query}`, { 'x-user': user, ...headers });
    open.push(stream);
    return stream;
  };
  const create = async (user: string, more = {}): Promise<any> =>
    dataOf(await host.user(user, 'POST', '/api/tasks', { json: { input: 'in', status: 10, ...more } }));
  const claim = async (taskId: string): Promise<any> =>
    dataOf(await host.worker('GET', `/api/crontask?lease=60&taskId=${taskId}`));
  const report = async (taskId: string, fields: object): Promise<any> =>
    dataOf(await host.worker('PUT', `/api/crontask/${taskId}`, { json: fields }));
  const show = async (user: string, taskId: string): Promise<any> =>
    dataOf(await host.user(user, 'GET', `/api/tasks/${taskId}`));
  const sql = (text: string): Promise<unknown> => host.tasks.dataSource.query(text);

  it('sends the task as it is, then each change, as GET shows it', async () => {
    const { taskId } = await create('alice');
    const stream = await watch('alice', `ids=${taskId}`);
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    const synced = await stream.synced();
    expect(synced.data).toEqual({ resumed: false, more: false, tasks: 1 });
    expect(stream.tasks()).toEqual([await show('alice', taskId)]);
    const { leaseToken } = await claim(taskId);
    await stream.event('started', ({ data }) => data.status === 20);
    expect(stream.tasks().at(-1)).toEqual(await show('alice', taskId));
    await report(taskId, { leaseToken, progress: 40, temp: 'half' });
    await stream.event('progress', ({ data }) => data.progress === 40);
    await report(taskId, { leaseToken, status: 30, output: 'out' });
    await stream.event('end', ({ data }) => data.status === 30);
    expect(stream.tasks().at(-1)).toEqual(await show('alice', taskId));
    const ids = stream.events.map(({ id }) => Number(id.split('-')[0]));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
  });

  it('finds what plain SQL commits', async () => {
    const { taskId } = await create('sql');
    const stream = await watch('sql', 'service=default');
    await stream.synced();
    await sql(`UPDATE tasks SET progress = 77 WHERE id = '${taskId}'`);
    await stream.event('change by SQL', ({ data }) => data.progress === 77);
    expect(stream.tasks().at(-1)).toEqual(await show('sql', taskId));
    const copy = 'bbbbbbbb-6f3e-4c2a-9d55-2f0f6f3a1b7c';
    await sql(`INSERT INTO tasks (id, user_id, service, status, progress) VALUES ('${copy}', 'sql', 'default', 0, 0)`);
    await stream.event('insert by SQL', ({ data }) => data.taskId === copy);
    await sql(`DELETE FROM tasks WHERE id = '${taskId}'`);
    const removed = await stream.event('delete by SQL', ({ event }) => event === 'removed');
    expect(removed.data).toEqual({ taskId });
  });

  it('shows new tasks of the service or group, and nobody else’s', async () => {
    const mine = await create('carol', { service: 'a', group: 'g' });
    const byService = await watch('carol', 'service=a');
    const byGroup = await watch('carol', 'group=g');
    const byBoth = await watch('carol', 'service=b&group=g');
    await Promise.all([byService, byGroup, byBoth].map((stream) => stream.synced()));
    await create('dave', { service: 'a', group: 'g' });
    const other = await create('carol', { service: 'b', group: 'g' });
    const last = await create('carol', { service: 'a' });
    const ids = (stream: EventStream): string[] => stream.tasks().map(({ taskId }) => taskId);
    await byService.event('the last', ({ data }) => data.taskId === last.taskId);
    await byBoth.event('the other', ({ data }) => data.taskId === other.taskId);
    await byGroup.event('the other', ({ data }) => data.taskId === other.taskId);
    expect(ids(byService)).toEqual([mine.taskId, last.taskId]);
    expect(ids(byGroup)).toEqual([mine.taskId, other.taskId]);
    expect(ids(byBoth)).toEqual([other.taskId]);
  });

  it('says of ids that are no tasks of the user, and of deleted ones, that they are gone', async () => {
    const [mine, foreign] = [await create('erin'), await create('frank')];
    const unknown = 'cccccccc-6f3e-7c2a-9d55-2f0f6f3a1b7c';
    const stream = await watch(
      'erin',
      `ids=${encodeURIComponent(JSON.stringify([unknown, mine.taskId, foreign.taskId]))}`,
    );
    await stream.synced();
    const gone = (): string[] =>
      stream.events.filter(({ event }) => event === 'removed').map(({ data }) => data.taskId);
    expect(gone().sort()).toEqual([unknown, foreign.taskId].sort());
    expect(stream.tasks().map(({ taskId }) => taskId)).toEqual([mine.taskId]);
    dataOf(await host.user('erin', 'DELETE', '/api/tasks', { json: { ids: [mine.taskId] } }));
    await until('removal', () => gone().includes(mine.taskId));
  });

  it('shows edits that change no status', async () => {
    const { taskId } = await create('ed', { status: 0 });
    const stream = await watch('ed', `ids=${taskId}`);
    await stream.synced();
    dataOf(await host.user('ed', 'PUT', `/api/tasks/${taskId}`, { json: { input: 'other' } }));
    await stream.event('the edit', ({ data }) => data.input === 'other');
  });

  it('resumes without a snapshot if nothing has changed, else with one', async () => {
    const { taskId } = await create('gina');
    await create('gina');
    const first = await watch('gina', 'service=default');
    const { id } = await first.synced();
    first.close();
    const second = await watch('gina', 'service=default', { 'last-event-id': id });
    const again = await second.synced();
    expect(again.data).toEqual({ resumed: true, more: false, tasks: 2 });
    expect(second.tasks()).toEqual([]);
    expect(Number(again.id.split('-')[0])).toBeGreaterThan(Number(id.split('-')[0]));
    second.close();
    await claim(taskId);
    const third = await watch('gina', `service=default&lastEventId=${again.id}`);
    expect((await third.synced()).data.resumed).toBe(false);
    expect(third.tasks()).toHaveLength(2);
    for (const strange of ['x', '1', '1-zz', '9'.repeat(50)]) {
      const stream = await watch('gina', 'service=default', { 'last-event-id': strange });
      expect((await stream.synced()).data.resumed).toBe(false);
    }
  });

  it('sends at most two events a second for a task, and its end always', async () => {
    const { taskId } = await create('hal');
    const { leaseToken } = await claim(taskId);
    const stream = await watch('hal', `ids=${taskId}`);
    await stream.synced();
    const began = performance.now();
    for (let progress = 1; progress <= 40; progress++) await report(taskId, { leaseToken, progress });
    await report(taskId, { leaseToken, status: 30 });
    const end = await stream.event('end', ({ data }) => data.status === 30);
    const most = 2 + Math.ceil((end.at - began) / 500);
    expect(stream.tasks().length).toBeLessThanOrEqual(most);
    // Nothing older comes after the end.
    expect(stream.tasks().at(-1)).toMatchObject({ status: 30, progress: 100 });
  });

  it('answers errors in the envelope', async () => {
    const path = '/api/tasks/events';
    const get = (query: Record<string, string>) => host.user('ivy', 'GET', path, { query });
    expectFailure(await get({}), 'INVALID_PARAM', ['ids', 'isDefined']);
    expectFailure(await get({ ids: '[' }), 'INVALID_PARAM', ['ids', 'isArray']);
    expectFailure(await get({ ids: '[]' }), 'INVALID_PARAM', ['ids', 'arrayNotEmpty']);
    expectFailure(await get({ ids: 'a', service: 'b' }), 'INVALID_PARAM', ['ids', 'either']);
    expectFailure(await get({ service: 's'.repeat(65) }), 'INVALID_PARAM', ['service', 'maxLength']);
    expectFailure(await get({ ids: JSON.stringify(Array(1001).fill('a')) }), 'INVALID_PARAM', ['ids', 'arrayMaxSize']);
    const anybody = await fetch(`${host.url}${path}?ids=a`);
    expect([anybody.status, ((await anybody.json()) as any).data.code]).toEqual([430, 10001]);
    const head = await fetch(`${host.url}${path}?ids=a`, { method: 'HEAD', headers: { 'x-user': 'ivy' } });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
