import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { Controller, type INestApplication, Post, Req } from '@nestjs/common';
import type { ExpressAdapter } from '@nestjs/platform-express';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { dataOf, expectFailure } from '../../../support/answers.js';
import { type Host, type HostOptions, startHost } from '../../../support/host.js';

/** What Express's users have: of the adapter's own dependencies. */
const load = createRequire(createRequire(import.meta.url).resolve('@nestjs/platform-express'));
const multer = load('multer') as () => { any(): Middleware };
const busboy = createRequire(load.resolve('multer'))('busboy') as (options: object) => any;
const express = load('express') as Record<'json' | 'raw' | 'text', (options: object) => Middleware> & {
  urlencoded(options: object): Middleware;
};

type Middleware = (request: any, response: any, next: (error?: unknown) => void) => void;

/** As express-fileupload reads a request. */
const fileUpload: Middleware = (request, _response, next) => {
  if (!/^multipart\//.test(request.headers['content-type'] ?? '')) return next();
  const [body, files] = [{} as Record<string, unknown>, {} as Record<string, unknown>];
  const parser = busboy({ headers: request.headers });
  parser.on('field', (name: string, value: string) => (body[name] = name in body ? [body[name], value].flat() : value));
  parser.on('file', (name: string, file: any) => file.on('end', () => (files[name] = { name })).resume());
  parser.on('error', next);
  parser.on('finish', () => {
    Object.assign(request, { body, files });
    next();
  });
  request.pipe(parser);
};
const multerAny = multer().any();
/** Reads a stream whole and leaves what it holds, as serverless platforms do. */
const asText =
  (leave: (request: any, text: string) => void): Middleware =>
  (request, _response, next) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += String(chunk)));
    request.on('end', () => {
      leave(request, text);
      next();
    });
  };

@Controller()
class Upload {
  @Post('/host/upload')
  upload(@Req() request: any): unknown {
    return { body: { ...request.body }, files: Object.keys(request.files ?? {}).length };
  }
}

const FILE =
  '--B\r\nContent-Disposition: form-data; name="input"\r\n\r\nin\r\n' +
  '--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--B--\r\n';
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=B' };

async function expectForms(host: Host): Promise<void> {
  const create = (options: object, more = '') => host.user('alice', 'POST', `/api/tasks${more}`, options);
  const multipart: [string, string][] = [
    ['input', 'in'],
    ['args', ''],
    ['status', '10'],
    ['service', 's'],
  ];
  expect(dataOf(await create({ multipart }))).toMatchObject({ input: 'in', args: '', status: 10, service: 's' });
  expectFailure(await create({ raw: FILE, headers: MULTIPART }), 'UNSUPPORTED_MEDIA_TYPE', ['body', 'mediaType']);
  expectFailure(await create({ multipart: { args: 'x' } }), 'INVALID_PARAM', ['input', 'isDefined']);
  const list = await create(
    {
      multipart: [
        ['ids[]', 'a'],
        ['ids[]', 'b'],
      ],
    },
    '/list',
  );
  expect(dataOf(list).list).toEqual([]);
  // One connection after the other: nothing hangs.
  const { taskId } = dataOf(await create({ json: { input: 'json', status: 10, service: 'j' } }));
  const put = { multipart: { temp: 'half', _method: 'PUT' } };
  await host.worker('GET', '/api/crontask', { query: { taskId } });
  expect(dataOf(await host.worker('POST', `/api/crontask/${taskId}`, put)).task.temp).toBe('half');
  expectFailure(await host.user('', 'POST', '/api/tasks', { multipart }), 'INVALID_TOKEN');
}

async function withHost(options: Partial<HostOptions>, work: (host: Host) => Promise<void>): Promise<void> {
  const host = await startHost({ engine: 'sqlite', adapter: 'express', controllers: [Upload], ...options });
  await work(host).finally(() => host.close());
}

describe.each([
  ['multer', multerAny],
  ['express-fileupload', fileUpload],
])("a host's %s on Express", (_, middleware) => {
  it('runs after us: forms are read, and those of its own routes are its own', () =>
    withHost({ configure: (app: INestApplication) => void app.use(middleware) }, async (host) => {
      await expectForms(host);
      const upload = await host.user('alice', 'POST', '/host/upload', { raw: FILE, headers: MULTIPART });
      expect(upload.body).toEqual({ body: { input: 'in' }, files: 1 });
    }));

  it('runs before us: what it has made of forms is taken', () =>
    withHost({ prepare: (http) => void (http as ExpressAdapter).use(middleware as never) }, expectForms));

  it('leaves guards the headers as they came', async () => {
    const seen: unknown[] = [];
    class Looking {
      canActivate(context: any): boolean {
        const { headers } = context.switchToHttp().getRequest();
        seen.push(headers['content-type'], headers['content-length'], headers['x-added']);
        context.switchToHttp().getRequest().user = { id: 'alice' };
        return true;
      }
    }
    const adding: Middleware = (request, _response, next) => {
      request.headers['x-added'] = 'yes';
      next();
    };
    const configure = (app: INestApplication) => void app.use(middleware).use(adding);
    await withHost({ configure, options: { guards: [Looking] } }, async (host) => {
      await host.user('alice', 'POST', '/api/tasks', { raw: FILE, headers: MULTIPART });
    });
    expect(seen).toEqual([MULTIPART['content-type'], String(FILE.length), 'yes']);
  });
});

const deep = `{"input":${'['.repeat(5000)}${']'.repeat(5000)}}`;
const json = { 'content-type': 'application/json' };
async function expectJson(host: Host): Promise<void> {
  const create = (raw: string) => host.user('alice', 'POST', '/api/tasks', { raw, headers: json });
  expect(dataOf(await create('{"input":"in","args":null}'))).toMatchObject({ input: 'in', args: '' });
  expect(dataOf(await create('[{"input":"a"},{"input":"b"}]')).list).toHaveLength(2);
  for (const raw of [deep, '[1]', '[[]]', '{"input":{}}', '{}']) {
    const { status, body } = await create(raw);
    expect([raw.slice(0, 20), status, body.status]).toEqual([raw.slice(0, 20), 400, 0]);
  }
}

describe('a body that was read before us', () => {
  it.each<[string, Middleware]>([
    ['parsed', express.json({ limit: '1mb' })],
    ['as bytes', express.raw({ type: '*/*' })],
    ['as text', express.text({ type: '*/*' })],
    ['as a text of a platform', asText((request, text) => (request.body = text))],
  ])('%s, on Express, counts', (_, middleware) =>
    withHost({ prepare: (http) => void (http as ExpressAdapter).use(middleware as never) }, expectJson),
  );

  it.each<[string, (request: any, raw: any, text: string) => void]>([
    ['on the request', (request, _, text) => (request.body = JSON.parse(text))],
    ['on its raw one', (_, raw, text) => (raw.body = JSON.parse(text))],
    ['as text', (_, raw, text) => (raw.body = text)],
  ])('%s, on Fastify, counts', (_, leave) =>
    withHost(
      {
        adapter: 'fastify',
        prepare: (http) =>
          void (http as FastifyAdapter)
            .getInstance()
            .addHook('onRequest', (request: any, _reply: unknown, done: () => void) => {
              if (!('content-length' in request.headers)) return done();
              asText((raw, text) => leave(request, raw, text))(request.raw, undefined, done);
            }),
      },
      expectJson,
    ),
  );

  it('by a multipart parser, on Fastify, counts', () =>
    withHost(
      {
        adapter: 'fastify',
        prepare: (http) =>
          void (http as FastifyAdapter)
            .getInstance()
            .addHook('onRequest', (request: any, _reply: unknown, done: () => void) =>
              multerAny(request.raw, undefined, done),
            ),
      },
      expectForms,
    ));
});
