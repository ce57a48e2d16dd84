import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BODY_KINDS, dataOf, expectFailure, INPUT_KINDS, said } from '../../../support/answers.js';
import type { CallOptions } from '../../../support/http.js';
import { type Host, MATRIX, spread, startHost } from '../../../support/host.js';

describe.each(spread(import.meta, MATRIX))('the ways to send parameters on $engine with $adapter', (where) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(where);
  });
  afterAll(() => host?.close());

  const create = (options: CallOptions) => host.user('alice', 'POST', '/api/tasks', options);
  const task = async (status = 0): Promise<string> =>
    (await host.tasks.create({ userId: 'alice', input: 'in', args: 'args', status })).taskId;
  const held = async (): Promise<string> => {
    const taskId = await task(10);
    await host.tasks.claim({ taskId, legacy: true });
    return taskId;
  };

  it.each(INPUT_KINDS)('POST, PUT and DELETE take %s alike', async (kind) => {
    const created = dataOf(await create(said(kind, { input: 'a=1&b 2+3%', args: '{"a":["é"]}', status: '10' })));
    expect(created).toMatchObject({ input: 'a=1&b 2+3%', args: '{"a":["é"]}', status: 10 });
    for (const method of ['PUT', 'POST']) {
      const options = said(kind, { input: `by ${method}` });
      const answer = await host.user('alice', method, `/api/tasks/${created.taskId}`, options);
      expect(dataOf(answer)).toEqual({ ...created, input: `by ${method}`, updatedAt: expect.any(String) });
    }
    await host.tasks.claim({ taskId: created.taskId, legacy: true });
    for (const method of ['PUT', 'POST']) {
      const options = said(kind, { progress: '50', temp: `by ${method}`, output: 'out' });
      const answer = await host.worker(method, `/api/crontask/${created.taskId}`, options);
      expect(dataOf(answer).task).toMatchObject({ progress: 50, temp: `by ${method}`, output: 'out' });
    }
    await host.tasks.report(created.taskId, { status: 30 });
    const options = said(kind, { ids: JSON.stringify([created.taskId]) });
    expect(dataOf(await host.user('alice', 'DELETE', '/api/tasks', options)).deleted).toEqual([created.taskId]);
  });

  it.each(BODY_KINDS)('the query stands beside %s, and the body wins', async (kind) => {
    const query = { input: 'query', args: 'query' };
    expect(dataOf(await create({ ...said(kind, { input: 'body' }), query }))).toMatchObject({
      input: 'body',
      args: 'query',
    });
    const taskId = await held();
    const options = { ...said(kind, { temp: 'body' }), query: { temp: 'query', output: 'query' } };
    const answer = await host.worker('PUT', `/api/crontask/${taskId}`, options);
    expect(dataOf(answer).task).toMatchObject({ temp: 'body', output: 'query' });
  });

  it.each(INPUT_KINDS)('POST with _method=PUT as %s is a PUT, with any other _method a mistake', async (kind) => {
    const taskId = await task();
    for (const method of ['PUT', 'put']) {
      const options = said(kind, { _method: method, args: method });
      expect(dataOf(await host.user('alice', 'POST', `/api/tasks/${taskId}`, options)).args).toBe(method);
    }
    const worked = await held();
    const report = said(kind, { _method: 'PUT', output: 'out' });
    expect(dataOf(await host.worker('POST', `/api/crontask/${worked}`, report)).task.output).toBe('out');
    for (const [method, path] of [
      ['POST', `/api/tasks/${taskId}`],
      ['PUT', `/api/tasks/${taskId}`],
      ['POST', '/api/tasks'],
    ] as const) {
      const other = path === '/api/tasks' ? 'PUT' : 'DELETE';
      const answer = await host.user('alice', method, path, said(kind, { _method: other, input: 'x' }));
      expectFailure(answer, 'INVALID_PARAM', ['_method', 'method']);
    }
    expect(await host.tasks.get(taskId)).toMatchObject({ input: 'in' });
  });

  it.each(['form', 'multipart', 'query'] as const)('takes an empty value in %s for an absent one', async (kind) => {
    const empty = { input: '', args: '', status: '', _method: '' };
    expectFailure(await create(said(kind, empty)), 'INVALID_PARAM', ['input', 'isDefined']);
    const created = dataOf(await create(said(kind, { ...empty, input: 'in', service: '' })));
    expect(created).toMatchObject({ service: 'default', status: 0, args: '' });
    const taskId = await task();
    const updated = await host.user('alice', 'PUT', `/api/tasks/${taskId}`, said(kind, empty));
    expect(dataOf(updated)).toMatchObject({ input: 'in', args: 'args', status: 0 });
    const worked = await held();
    await host.tasks.report(worked, { progress: 5, temp: 't', output: 'o' });
    const report = said(kind, { progress: '', status: '', temp: '', output: '' });
    const answer = await host.worker('PUT', `/api/crontask/${worked}`, report);
    expect(dataOf(answer).task).toMatchObject({ progress: 5, status: 20, temp: 't', output: 'o' });
  });

  it('clears a text by "" in JSON, and takes null for absent', async () => {
    const taskId = await held();
    await host.tasks.report(taskId, { progress: 5, temp: 't', output: 'o' });
    const json = { progress: null, status: null, temp: null, output: '' };
    const answer = await host.worker('PUT', `/api/crontask/${taskId}`, { json });
    expect(dataOf(answer).task).toMatchObject({ progress: 5, status: 20, temp: 't', output: '' });
  });

  it('takes a JSON body of 150 kB', async () => {
    const text = 'x'.repeat(65_535);
    const created = dataOf(await create({ json: { input: text, args: text, note: 'x'.repeat(20_000) } }));
    expect(created).toMatchObject({ input: text, args: text });
  });

  it.each(['application/json', 'application/x-www-form-urlencoded', ''])(
    'takes an empty body of type %j for no parameters',
    async (type) => {
      const options = { raw: '', headers: { 'content-type': type } };
      expectFailure(await create(options), 'INVALID_PARAM', ['input', 'isDefined']);
      expect(dataOf(await create({ ...options, query: { input: 'query' } })).input).toBe('query');
      const taskId = await task();
      expect(dataOf(await host.user('alice', 'PUT', `/api/tasks/${taskId}`, options)).input).toBe('in');
    },
  );

  it('takes parameters of a media type, and its name in any case', async () => {
    for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/json;v=1'])
      expect(dataOf(await create({ raw: '{"input":"é"}', headers: { 'content-type': type } })).input).toBe('é');
  });

  it('takes UTF-8 in a form with and without percent-encoding', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const input = '视频 é 😀';
    expect(dataOf(await create({ raw: `input=${input}`, headers })).input).toBe(input);
    expect(dataOf(await create({ raw: `input=${encodeURIComponent(input)}`, headers })).input).toBe(input);
    expect(dataOf(await create({ raw: '&input=a+b%2Bc=d&&args', headers }))).toMatchObject({
      input: 'a b+c=d',
      args: '',
    });
  });

  it('takes JSON with a byte order mark, as editors and shells write it', async () => {
    const headers = { 'content-type': 'application/json' };
    expect(dataOf(await create({ raw: '\ufeff{"input":"marked"}', headers })).input).toBe('marked');
    expectFailure(await create({ raw: '\ufeff', headers }), 'INVALID_PARAM', ['input', 'isDefined']);
  });

  it.each<[string, string]>([
    ['a name without quotes', '--B\r\nContent-Disposition: form-data; name=input\r\n\r\nin\r\n--B--'],
    ['a name in RFC 8187', "--B\r\nContent-Disposition: form-data; name*=UTF-8''in%70ut\r\n\r\nin\r\n--B--\r\n"],
    ['other letters', '--B\r\ncontent-disposition:FORM-DATA;NAME="input"\r\n\r\nin\r\n--B--\r\n'],
    [
      'a preamble and an epilogue',
      'pre\r\n--B \r\nContent-Disposition: form-data; name="input"\r\n\r\nin\r\n--B--\r\npost',
    ],
    [
      'more headers, and one of two lines',
      '--B\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nX: y\r\nContent-Disposition: form-data;\r\n name="input"\r\n\r\nin\r\n--B--',
    ],
  ])('takes multipart with %s', async (_, raw) => {
    const options = { raw, headers: { 'content-type': 'multipart/form-data; charset=utf-8; boundary="B"' } };
    expect(dataOf(await create(options)).input).toBe('in');
  });

  it('keeps what a part holds to the byte, line breaks and dashes too', async () => {
    for (const input of ['\r\n', '\r\n--', '--B', '\r\n-B--\r\n', ' a\t', 'é\u2028😀'])
      expect(dataOf(await create({ multipart: { input } })).input).toBe(input);
  });
});
