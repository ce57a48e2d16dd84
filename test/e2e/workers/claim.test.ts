import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Task } from '../../../src/index.js';
import { dataOf } from '../../support/answers.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

const CALLBACK = 'https://example.org/done?a=1';

describe.each(BATTERY)('GET /api/crontask on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost({ ...where, options: { callbackUrl: CALLBACK, deliverCallbacks: false } });
  });
  afterAll(() => host?.close());
  beforeEach(async () => {
    await host.app.get(DataSource).createQueryBuilder().delete().from(Task).execute();
  });

  const ready = async (service?: string, group?: string): Promise<string> =>
    (await host.tasks.create({ userId: 'alice', input: 'in', args: 'args', service, group, status: 10 })).taskId;
  const draft = async (): Promise<string> => (await host.tasks.create({ userId: 'alice', input: 'in' })).taskId;
  const claim = async (query: Record<string, string> = {}): Promise<any> =>
    dataOf(await host.worker('GET', '/api/crontask', { query }));
  /** Claims until there is nothing, and answers the ids in the order in which they came. */
  async function drain(query: Record<string, string> = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let data = await claim(query); data.task; data = await claim(query)) ids.push(data.task.taskId);
    return ids;
  }

  it('answers an empty array where there is nothing', async () => {
    await draft();
    const answer = await host.worker('GET', '/api/crontask');
    expect(answer.text).toBe('{"status":1,"data":[]}');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-cache, no-store');
  });

  it("hands out the task, as it is after the claim, with the callback's address in both places", async () => {
    const taskId = await ready('transcode');
    expect(await claim()).toMatchObject({
      task: {
        taskId,
        service: 'transcode',
        status: 20,
        progress: 0,
        input: 'in',
        args: 'args',
        temp: '',
        output: '',
        callbackUrl: CALLBACK,
      },
      updateUrl: CALLBACK,
    });
    expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${taskId}`)).status).toBe(20);
    expect(await claim()).toEqual([]);
  });

  it('hands out the oldest first', async () => {
    const ids = [await ready(), await ready(), await ready(), await ready(), await ready()];
    expect(await drain()).toEqual(ids);
  });

  it('goes by the time of creation, not by when a task became ready', async () => {
    const oldest = await draft();
    const ids = [await ready(), await ready()];
    await host.user('alice', 'PUT', `/api/tasks/${oldest}`, { json: { status: 10 } });
    expect(await drain()).toEqual([oldest, ...ids]);
  });

  it('goes over all services, oldest first, where none is named', async () => {
    const ids: string[] = [];
    for (const service of ['z', 'a', 'm', 'a', 'z', 'B', 'm']) ids.push(await ready(service));
    expect(await drain()).toEqual(ids);
  });

  it('filters by service and by group, each and both', async () => {
    const a1 = await ready('a', 'g1');
    const b1 = await ready('b', 'g1');
    const a2 = await ready('a', 'g2');
    const a = await ready('a');
    const b2 = await ready('b', 'g2');
    expect(await drain({ service: 'c' })).toEqual([]);
    expect(await drain({ group: 'g3' })).toEqual([]);
    expect(await drain({ service: 'b', group: 'g2' })).toEqual([b2]);
    expect(await drain({ group: 'g1' })).toEqual([a1, b1]);
    expect(await drain({ service: 'a' })).toEqual([a2, a]);
  });

  it('takes empty filters for absent ones, and ignores others', async () => {
    const taskId = await ready('a', 'g');
    expect((await claim({ service: '', group: '', taskId: '', status: '0', page: '9' })).task.taskId).toBe(taskId);
  });

  it('hands out the task that taskId names, if it is ready and fits the rest of the filter', async () => {
    await ready('a', 'g');
    const taskId = await ready('a', 'g');
    expect(await claim({ taskId, service: 'b' })).toEqual([]);
    expect(await claim({ taskId, group: 'h' })).toEqual([]);
    expect((await claim({ taskId, service: 'a', group: 'g' })).task).toMatchObject({ taskId, status: 20 });
  });

  it("never hands out a task that isn't ready by its taskId, nor changes it", async () => {
    const held = await ready();
    await claim({ taskId: held });
    const [finished, failed] = [await ready(), await ready()];
    for (const [taskId, status] of [
      [finished, 30],
      [failed, -10],
    ] as const) {
      await claim({ taskId });
      await host.tasks.report(taskId, { status, output: 'out' });
    }
    const states = [
      [await draft(), 0],
      [held, 20],
      [finished, 30],
      [failed, -10],
    ] as const;
    for (const [taskId, status] of states) {
      const before = await host.tasks.get(taskId);
      expect(await claim({ taskId })).toEqual([]);
      expect(await host.tasks.get(taskId)).toEqual(before);
      expect(before.status).toBe(status);
    }
  });

  it('finds a task made ready by any means: the route, the service, a repository, SQL', async () => {
    const dataSource = host.app.get(DataSource);
    const ids = [await draft(), await draft(), await draft(), await draft()] as const;
    await host.user('alice', 'PUT', `/api/tasks/${ids[0]}`, { form: { status: '10' } });
    await host.tasks.markReady(ids[1]);
    const task = await dataSource.getRepository(Task).findOneByOrFail({ taskId: ids[2] });
    await dataSource.getRepository(Task).save(Object.assign(task, { status: 10 }));
    await dataSource.query(`UPDATE tasks SET status = 10 WHERE id = '${ids[3]}'`);
    expect(await drain()).toEqual(ids);
  });

  it('does not hand out what became unready or was deleted by any means', async () => {
    const dataSource = host.app.get(DataSource);
    const ids = [await ready(), await ready(), await ready()] as const;
    const last = await ready();
    await dataSource.query(`UPDATE tasks SET status = 0 WHERE id = '${ids[0]}'`);
    await dataSource.query(`DELETE FROM tasks WHERE id = '${ids[1]}'`);
    await host.user('alice', 'DELETE', '/api/tasks', { json: { ids: [ids[2]] } });
    expect(await drain()).toEqual([last]);
  });

  it('hands a task out again after it was given back, in its old place', async () => {
    const [first, second] = [await ready(), await ready()];
    await claim();
    await host.worker('PUT', `/api/crontask/${first}`, { json: { status: 10, temp: 'so far' } });
    const { task } = await claim();
    expect(task).toMatchObject({ taskId: first, status: 20, temp: 'so far' });
    expect(await drain()).toEqual([second]);
  });
});

describe.each(BATTERY)('a host without callbackUrl on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  it('hands out empty addresses', async () => {
    await host.tasks.create({ userId: 'alice', input: 'in', status: 10 });
    const { task, updateUrl } = dataOf(await host.worker('GET', '/api/crontask'));
    expect([task.callbackUrl, updateUrl]).toEqual(['', '']);
  });
});
