import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { CanActivate, ExecutionContext, LoggerService } from '@nestjs/common';
import { parseMultipart } from '../../../../src/http/body/parse-multipart.js';
import { dataOf, expectFailure } from '../../../support/answers.js';
import { ADAPTERS, HeaderGuard, type Host, startHost } from '../../../support/host.js';

const JSON_TYPE = { 'content-type': 'application/json' };

/** Keeps what a host's guard finds in `request.body`, for requests that ask for it. */
let seen: unknown;
class LookingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; body: any }>();
    if (request.headers['x-look']) seen = request.body;
    if (request.headers['x-add']) request.body.args = 'of the guard';
    return request.headers['x-look'] !== 'refuse';
  }
}

describe.each(ADAPTERS)('bodies before the guards have spoken, with %s', (adapter) => {
  const logged: unknown[][] = [];
  const note = (...said: unknown[]): void => void logged.push(said);
  const logger: LoggerService = { log: () => undefined, warn: () => undefined, error: note, fatal: note };
  let host: Host;
  beforeAll(async () => {
    const options = { guards: [LookingGuard, HeaderGuard] };
    host = await startHost({ engine: 'sqlite', adapter, options, nest: { logger } });
  });
  afterAll(() => host?.close());
  afterEach(() => void jest.restoreAllMocks());

  const create = (raw: string, headers: Record<string, string> = {}, user = 'alice') =>
    host.user(user, 'POST', '/api/tasks', { raw, headers: { ...JSON_TYPE, ...headers } });

  it('costs no parsing of a large one without a token', async () => {
    const parse = jest.spyOn(JSON, 'parse');
    const timesParsed = (text: string): number => parse.mock.calls.filter(([given]) => given === text).length;
    const raw = JSON.stringify({ input: 'whose? '.repeat(3000) });
    expectFailure(await create(raw, {}, ''), 'INVALID_TOKEN');
    expectFailure(await host.user('alice', 'PUT', '/api/crontask/x', { raw, headers: JSON_TYPE }), 'INVALID_TOKEN');
    expect(timesParsed(raw)).toBe(0);
    dataOf(await create(raw));
    expect(timesParsed(raw)).toBe(1);
  });

  it.each([
    ['small', 'seen'],
    ['large', 'seen '.repeat(4000)],
  ])("shows a host's guard what a %s body says, and parses it once for both", async (_, input) => {
    const parse = jest.spyOn(JSON, 'parse');
    const raw = JSON.stringify({ input });
    dataOf(await create(raw, { 'x-look': 'yes' }));
    expect(seen).toEqual({ input });
    expect(parse.mock.calls.filter(([given]) => given === raw)).toHaveLength(1);
    const form = { form: { input: 'seen' }, headers: { 'x-look': 'yes' } };
    dataOf(await host.user('alice', 'POST', '/api/tasks', form));
    expect({ ...(seen as object) }).toEqual({ input: 'seen' });
    expect(dataOf(await create(raw, { 'x-add': 'yes' })).args).toBe('of the guard');
  });

  it("shows a host's guard {} for a body that can't be read, which is answered once the guard lets it in", async () => {
    for (const raw of ['{"input":', '['.repeat(100_000), '{"__proto__":1}']) {
      const problem = raw.includes('proto') ? (['__proto__', 'forbidden'] as const) : (['body', 'malformed'] as const);
      expectFailure(await create(raw, { 'x-look': 'yes' }), 'INVALID_PARAM', [...problem]);
      expect(seen).toEqual({});
      expect((await create(raw, { 'x-look': 'refuse' })).status).toBe(430);
    }
  });

  it.each(['application/json', 'multipart/form-data; boundary=B', 'text/plain'])(
    'logs no error when a client hangs up within a body of %s',
    async (type) => {
      for (const [head, body] of [
        ['content-length: 100', '{"input":'],
        ['transfer-encoding: chunked', '9\r\n{"input":\r\n'],
      ]) {
        const server = host.app.getHttpServer() as Server;
        const arrived = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
        const socket = connect(Number(new URL(host.url).port), '127.0.0.1');
        socket.write(
          `POST /api/tasks HTTP/1.1\r\nhost: x\r\nx-user: alice\r\ncontent-type: ${type}\r\n${head}\r\n\r\n${body}`,
        );
        const [, response] = await arrived;
        const closed = once(response, 'close');
        socket.resetAndDestroy();
        await closed;
      }
      dataOf(await create('{"input":"alive"}'));
      expect(logged).toEqual([]);
    },
  );
});

it('looks no further than the first part that it refuses', () => {
  const file = '--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n';
  const bytes = Buffer.from(`${file.repeat(15_000)}--B--\r\n`);
  const searches = jest.spyOn(Buffer.prototype, 'indexOf');
  expect(() => parseMultipart(bytes, 'multipart/form-data; boundary=B')).toThrow('unsupported media type');
  expect(searches.mock.calls.length).toBeLessThan(5);
  const fields = Buffer.from(
    `${'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'.repeat(15_000)}--B--\r\n`,
  );
  expect(() => parseMultipart(fields, 'multipart/form-data; boundary=B')).toThrow('too large');
  expect(searches.mock.calls.length).toBeLessThan(3 * 1101 + 5);
});
