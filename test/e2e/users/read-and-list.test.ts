import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataOf, expectFailure } from '../../support/answers.js';
import { call, type CallOptions } from '../../support/http.js';
import { BATTERY, type Host, startHost } from '../../support/host.js';

describe.each(BATTERY)('GET /api/tasks on $engine with $adapter', (where) => {
  let host: Host;
  /** Alice's 25 tasks, newest first; every fifth is of the service `b`. */
  const ids: string[] = [];
  let bobs: string;

  beforeAll(async () => {
    host = await startHost(where);
    for (let i = 0; i < 25; i++) {
      const service = i % 5 === 0 ? 'b' : 'a';
      ids.unshift((await host.tasks.create({ userId: 'alice', input: `${i}`, service })).taskId);
    }
    bobs = (await host.tasks.create({ userId: 'bob', input: 'secret' })).taskId;
  });
  afterAll(() => host?.close());

  const list = async (query: CallOptions['query'] = {}): Promise<string[]> => {
    const data = dataOf(await host.user('alice', 'GET', '/api/tasks', { query }));
    expect(Object.keys(data)).toEqual(['list', 'nextCursor']);
    return data.list.map((task: { taskId: string }) => task.taskId);
  };

  it('shows one task to its owner: whole, to nobody else, and 404 where there is none', async () => {
    expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${ids[0]}`))).toMatchObject({
      taskId: ids[0],
      service: 'a',
      status: 0,
      progress: 0,
      input: '24',
      args: '',
      temp: '',
      output: '',
    });
    expectFailure(await host.user('alice', 'GET', `/api/tasks/${bobs}`), 'INVALID_ACCESS');
    expectFailure(await host.user('alice', 'GET', `/api/tasks/${'0'.repeat(8)}${bobs.slice(8)}`), 'NOT_FOUND');
    expectFailure(await call('GET', `${host.url}/api/tasks/${bobs}`), 'INVALID_TOKEN');
    expectFailure(await call('GET', `${host.url}/api/tasks`), 'INVALID_TOKEN');
  });

  it('lists ten of the own tasks, newest first, each as it is shown alone', async () => {
    expect(await list()).toEqual(ids.slice(0, 10));
    const [task] = dataOf(await host.user('alice', 'GET', '/api/tasks')).list;
    expect(task).toEqual(dataOf(await host.user('alice', 'GET', `/api/tasks/${ids[0]}`)));
  });

  it('turns pages of the size pageNum, from 1', async () => {
    expect(await list({ page: 1 })).toEqual(ids.slice(0, 10));
    expect(await list({ page: 3 })).toEqual(ids.slice(20));
    expect(await list({ page: 4 })).toEqual([]);
    expect(await list({ page: 2, pageNum: 7 })).toEqual(ids.slice(7, 14));
    expect(await list({ pageNum: 1 })).toEqual(ids.slice(0, 1));
    expect(await list({ pageNum: 5000 })).toEqual(ids);
    expect(await list({ page: 2 ** 31 - 1, pageNum: 1000 })).toEqual([]);
  });

  it('filters by service, and pages what is left', async () => {
    const fifth = ids.filter((_, index) => (24 - index) % 5 === 0);
    expect(await list({ service: 'b' })).toEqual(fifth);
    expect(await list({ service: 'b', page: 2, pageNum: 2 })).toEqual(fifth.slice(2, 4));
    expect(await list({ service: 'c' })).toEqual([]);
  });

  it('takes empty parameters for absent ones', async () => {
    expect(await list({ page: '', pageNum: '', service: '', ids: '' })).toEqual(ids.slice(0, 10));
  });

  it('answers the tasks of ids without paging, newest first, the own ones only, each once', async () => {
    const some = ids.slice(3, 20);
    const asked = [...some].reverse().concat(bobs, some[0]!, 'nobody', '', '😀', `${ids[0]} `, "' OR 1=1 --");
    expect(await list({ ids: JSON.stringify(asked), page: 2, pageNum: 1 })).toEqual(some);
    expect(await list({ ids: JSON.stringify(ids), service: 'b' })).toHaveLength(5);
    expect(await list({ ids: JSON.stringify([bobs]) })).toEqual([]);
    expect(await list({ ids: JSON.stringify(['no id at all']) })).toEqual([]);
  });

  it('takes its parameters as a body, too, where a thousand ids fit', async () => {
    const unknown = '019ab1f0-6f3e-7c2a-9d55-2f0f6f3a1b7c';
    const asked = [...ids, ...Array<string>(1000 - ids.length).fill(unknown)];
    const post = (given: CallOptions) => host.user('alice', 'POST', '/api/tasks/list', given);
    const found = dataOf(await post({ json: { ids: asked } }));
    expect(found.list.map((task: { taskId: string }) => task.taskId)).toEqual(ids);
    expect(found.nextCursor).toBeNull();
    const bodies: CallOptions[] = [
      { json: { pageNum: 2, service: 'b' } },
      { form: { pageNum: '2', service: 'b' } },
      { multipart: { pageNum: '2', service: 'b' } },
      { query: { pageNum: 2 }, json: { service: 'b' } },
    ];
    const page = await host.user('alice', 'GET', '/api/tasks', { query: { pageNum: 2, service: 'b' } });
    for (const body of bodies) expect((await post(body)).body).toEqual(page.body);
    expect((await post({})).body.data.list).toHaveLength(10);
    expectFailure(await post({ json: { ids: [...asked, unknown] } }), 'INVALID_PARAM', ['ids', 'arrayMaxSize']);
    expectFailure(await call('POST', `${host.url}/api/tasks/list`), 'INVALID_TOKEN');
  });

  it('takes ids in the forms of a list, too', async () => {
    expect(
      await list([
        ['ids[]', ids[4]!],
        ['ids[]', ids[2]!],
      ]),
    ).toEqual([ids[2], ids[4]]);
    expect(await list({ 'ids[0]': ids[1]!, 'ids[1]': ids[0]! })).toEqual([ids[0], ids[1]]);
  });

  it('is not misled by a user or a list named in the query', async () => {
    expect(await list({ userId: 'bob', user_id: 'bob', list: 'x' })).toEqual(ids.slice(0, 10));
  });
});
