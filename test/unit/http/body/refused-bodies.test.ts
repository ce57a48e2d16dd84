import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BODY_KINDS, dataOf, expectFailure, INPUT_KINDS, type Problem, said } from '../../../support/answers.js';
import { type CallOptions } from '../../../support/http.js';
import { ADAPTERS, type Host, startHost } from '../../../support/host.js';

const MIB = 1_048_576;
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const MULTIPART_TYPE = { 'content-type': 'multipart/form-data; boundary=XX' };

const part = (disposition: string, value: string): string =>
  `--XX\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
const typed = (disposition: string, type: string, value: string): string =>
  part(`${disposition}\r\nContent-Type: ${type}`, value);
const multipart = (...parts: string[]): CallOptions => ({
  raw: `${parts.join('')}--XX--\r\n`,
  headers: MULTIPART_TYPE,
});

/** What is refused here never gets as far as an engine. */
describe.each(ADAPTERS)('bodies that are refused with %s', (adapter) => {
  let host: Host;
  let taskId: string;
  beforeAll(async () => {
    host = await startHost({ engine: 'sqlite', adapter });
    taskId = (await host.tasks.create({ userId: 'alice', input: 'in', status: 10 })).taskId;
    await host.tasks.claim({ taskId, legacy: true });
  });
  afterAll(() => host?.close());

  /** Every route that takes a body refuses this one. */
  async function refused(options: CallOptions, name: Parameters<typeof expectFailure>[1], problem: Problem) {
    expectFailure(await host.user('alice', 'POST', '/api/tasks', options), name, problem);
    expectFailure(await host.user('alice', 'PUT', `/api/tasks/${taskId}`, options), name, problem);
    expectFailure(await host.user('alice', 'POST', `/api/tasks/${taskId}`, options), name, problem);
    expectFailure(await host.user('alice', 'DELETE', '/api/tasks', options), name, problem);
    expectFailure(await host.worker('PUT', `/api/crontask/${taskId}`, options), name, problem);
    expectFailure(await host.worker('POST', `/api/crontask/${taskId}`, options), name, problem);
  }

  it.each<[string, CallOptions]>([
    ['XML', { raw: '<input>in</input>', headers: { 'content-type': 'application/xml' } }],
    ['text', { raw: 'input=in', headers: { 'content-type': 'text/plain' } }],
    ['bytes of no named type', { raw: Buffer.from('input=in') }],
    ['a made-up type', { raw: '{"input":"in"}', headers: { 'content-type': 'json' } }],
    ['gzip', { raw: gzipSync('{"input":"in"}'), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }],
    ['Latin-1', { raw: '{"input":"in"}', headers: { 'content-type': 'application/json; charset=latin1' } }],
    ['a file', multipart(part('name="input"', 'in'), part('name="f"; filename="a.txt"', 'contents'))],
    ['a file that breaks off', { ...multipart(), raw: part('name="f"; filename="f"', 'x').slice(0, -2) }],
    ['a file that its type gives away', multipart(typed('name="f"', 'application/octet-stream', 'x'))],
    ['a part in UTF-16', multipart(typed('name="input"', 'text/plain; charset=utf-16', 'in'))],
    ['a file as the input', multipart(part('name="input"; filename="in.mp4"', 'contents'))],
  ])('refuses %s by 415', (_, options) => refused(options, 'UNSUPPORTED_MEDIA_TYPE', ['body', 'mediaType']));

  it.each<[string, CallOptions]>([
    ['JSON that breaks off', { raw: '{"input":', headers: JSON_TYPE }],
    ['JSON with more behind it', { raw: '{"input":"in"} x', headers: JSON_TYPE }],
    ['a JSON string', { raw: '"in"', headers: JSON_TYPE }],
    ['JSON null', { raw: 'null', headers: JSON_TYPE }],
    ['JSON that is not UTF-8', { raw: Buffer.from('{"input":"\xe9"}', 'latin1'), headers: JSON_TYPE }],
    ['JSON in UTF-16', { raw: Buffer.from('{"input":"in"}', 'utf16le'), headers: JSON_TYPE }],
    ['a form that is not UTF-8', { raw: Buffer.from('input=\xe9', 'latin1'), headers: FORM_TYPE }],
    [
      'multipart that is not UTF-8',
      { ...multipart(), raw: Buffer.from(part('name="input"', '\xe9') + '--XX--', 'latin1') },
    ],
    ['a part that says Latin-1, and is', multipart(typed('name="input"', 'text/plain; charset=iso-8859-1', 'é'))],
    ['a part without a name', multipart(part('', 'in'))],
    ['a part with an empty name', multipart(part('name=""', 'in'))],
    ['a part with a name of nothing', multipart(part('name*=', 'in'))],
    ['a part with a name that is no UTF-8', multipart(part("name*=utf-8''%ff", 'in'))],
    ['a part with half a quote', multipart(part('name="input', 'in'))],
    ['a part without headers', multipart('--XX\r\n\r\nin\r\n')],
    ['a part of another disposition', multipart('--XX\r\nContent-Disposition: inline; name="input"\r\n\r\nin\r\n')],
    ['multipart whose headers do not end', multipart(part(`name="input"; x="${'x'.repeat(20_000)}"`, 'in'))],
    ['multipart that breaks off in a value', { ...multipart(), raw: part('name="input"', 'in').slice(0, -2) }],
    ['multipart that breaks off in a header', { ...multipart(), raw: '--XX\r\nContent-Disposition: form-da' }],
    ['multipart without its last line', { ...multipart(), raw: part('name="input"', 'in') }],
    [
      'multipart of another boundary',
      { ...multipart(part('name="input"', 'in')), headers: { 'content-type': 'multipart/form-data; boundary=YY' } },
    ],
    [
      'multipart of no boundary',
      { ...multipart(part('name="input"', 'in')), headers: { 'content-type': 'multipart/form-data' } },
    ],
  ])('refuses %s by 400', (_, options) => refused(options, 'INVALID_PARAM', ['body', 'malformed']));

  it('refuses percent-encoding that is none, or that is not UTF-8, by 400', async () => {
    for (const input of ['%ff', '%c3', '%', '%zz', '%ed%a0%80'])
      await refused({ raw: `input=${input}`, headers: FORM_TYPE }, 'INVALID_PARAM', ['body', 'encoding']);
    for (const [method, path] of [
      ['GET', '/api/tasks?service=%ff'],
      ['POST', '/api/tasks?input=%ff'],
    ] as const)
      expectFailure(await host.user('alice', method, path), 'INVALID_PARAM', ['query', 'encoding']);
    expectFailure(await host.worker('GET', '/api/crontask?service=%ff'), 'INVALID_PARAM', ['query', 'encoding']);
  });

  it('refuses __proto__ wherever it stands', async () => {
    const problem: Problem = ['__proto__', 'forbidden'];
    for (const raw of [
      '{"__proto__":{"a":1},"input":"x"}',
      '{"input":{"a":[{"__proto__":1}]}}',
      '{"\\u005f_proto__":null}',
    ])
      await refused({ raw, headers: JSON_TYPE }, 'INVALID_PARAM', problem);
    for (const name of ['__proto__', '__proto__[]', '__proto__[0]']) {
      const fields = { input: 'x', [name]: 'x' };
      for (const kind of ['form', 'multipart', 'query'] as const)
        await refused(said(kind, fields), 'INVALID_PARAM', problem);
      expectFailure(await host.user('alice', 'GET', '/api/tasks', { query: fields }), 'INVALID_PARAM', problem);
      expectFailure(await host.worker('GET', '/api/crontask', { query: fields }), 'INVALID_PARAM', problem);
    }
    await refused({ raw: '__proto__=', headers: FORM_TYPE }, 'INVALID_PARAM', problem);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  it.each(BODY_KINDS)('refuses %s over the limit by 413', (kind) =>
    refused(said(kind, { input: 'in', note: 'x'.repeat(MIB) }), 'TOO_LARGE', ['body', 'bodyLimit']),
  );

  it('refuses JSON with more than 40,000 nested values by 413', async () => {
    const raw = `{"input":[${'{},'.repeat(1e5)}{}]}`;
    await refused({ raw, headers: JSON_TYPE }, 'TOO_LARGE', ['body', 'maxFields']);
  });

  it('refuses JSON of more than 64 levels by 400, of 64 not', async () => {
    const nested = (levels: number) => `{"input":"in","note":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    for (const raw of [nested(65), nested(3000), '['.repeat(520_000), '{"a":'.repeat(100_000)])
      await refused({ raw, headers: JSON_TYPE }, 'INVALID_PARAM', ['body', 'malformed']);
    for (const raw of [nested(64), `{"input":"${'[{'.repeat(100)}"}`, '{"input":"in","note":"\\"[[","more":"\\\\"}'])
      dataOf(await host.user('alice', 'POST', '/api/tasks', { raw, headers: JSON_TYPE }));
  });

  it('refuses a report on a taskId nested 5,000 deep within the envelope', async () => {
    const raw = `{"reports":[{"taskId":${'['.repeat(5000)}${']'.repeat(5000)}}]}`;
    const answer = await host.worker('PUT', '/api/crontask', { raw, headers: JSON_TYPE });
    expectFailure(answer, 'INVALID_PARAM', ['body', 'malformed']);
  });

  it.each(['constructor', '__proto__', 'toString'])('refuses the media type %s by 415', (type) =>
    refused({ raw: 'abc', headers: { 'content-type': type } }, 'UNSUPPORTED_MEDIA_TYPE', ['body', 'mediaType']),
  );

  it('refuses an object for _method', () =>
    refused({ json: { input: 'in', _method: { toString: 1 } } }, 'INVALID_PARAM', ['_method', 'method']));

  it('takes a body of 100,000 chunks of a byte each, and no more memory than the body', async () => {
    const before = process.memoryUsage().rss;
    const status = await new Promise((answered, failed) => {
      const headers = { ...JSON_TYPE, 'x-user': 'alice' };
      const sent = request(`${host.url}/api/tasks`, { method: 'POST', headers }, (response) =>
        answered(response.resume().statusCode),
      ).on('error', failed);
      sent.write('{"input":"');
      for (let i = 0; i < 60_000; i++) sent.write('x');
      sent.end('"}');
    });
    expect(status).toBe(200);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * MIB);
  });

  it('takes a body of exactly the limit', async () => {
    const raw = '{"input":"in"}'.padEnd(MIB);
    dataOf(await host.user('alice', 'POST', '/api/tasks', { raw, headers: JSON_TYPE }));
    const over = await host.user('alice', 'POST', '/api/tasks', { raw: `${raw} `, headers: JSON_TYPE });
    expectFailure(over, 'TOO_LARGE', ['body', 'bodyLimit']);
  });

  it.each(INPUT_KINDS)('refuses more than 1100 fields in %s by 413', async (kind) => {
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, '1']));
    const field = kind === 'query' ? 'query' : 'body';
    await refused(said(kind, fields(1101)), 'TOO_LARGE', [field, 'maxFields']);
    dataOf(await host.user('alice', 'POST', '/api/tasks', said(kind, { ...fields(1099), input: 'in' })));
  });

  it.each(['with its length', 'in chunks'])(
    'keeps the connection after a refused upload of 20 MB, sent %s',
    async (how) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const send = (body: string | Buffer) =>
        new Promise<{ reused: boolean; port: number | undefined; status: number | undefined; body: any }>(
          (resolve, reject) => {
            const headers = {
              ...JSON_TYPE,
              'x-user': 'alice',
              ...(how === 'in chunks' ? {} : { 'content-length': Buffer.byteLength(body) }),
            };
            const sent = request(`${host.url}/api/tasks`, { method: 'POST', agent, headers }, (response) => {
              const port = response.socket.localPort;
              text(response).then((answer) => {
                resolve({ reused: sent.reusedSocket, port, status: response.statusCode, body: JSON.parse(answer) });
              }, reject);
            });
            sent.on('error', reject);
            if (how === 'in chunks') sent.write(body);
            sent.end(how === 'in chunks' ? undefined : body);
          },
        );
      try {
        const first = await send(Buffer.alloc(20 * MIB, ' '));
        expect(first).toMatchObject({ reused: false, status: 413, body: { status: 0, data: { code: 14008 } } });
        const second = await send('{"input":"after"}');
        expect(second).toMatchObject({
          reused: true,
          port: first.port,
          status: 200,
          body: { data: { input: 'after' } },
        });
      } finally {
        agent.destroy();
      }
    },
  );
});
