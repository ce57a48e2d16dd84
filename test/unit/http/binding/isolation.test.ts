import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  type INestApplication,
  type NestInterceptor,
  Post,
  Req,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common';
import type { Readable } from 'node:stream';
import { HttpAdapterHost } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { map } from 'rxjs';
import { TaskError } from '../../../../src/index.js';
import { ADAPTERS, type Host, type HostOptions, startHost } from '../../../support/host.js';

/** What we use of Fastify, which is no dependency of ours. */
interface Fastify {
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: Readable, done: (error: null, body: unknown) => void) => void,
  ): void;
}

@Controller('host')
class HostController {
  @Post('echo')
  echo(@Body() body: unknown) {
    return { body: body ?? null };
  }

  @Post('raw')
  raw(@Req() request: { rawBody?: Buffer }) {
    return { raw: request.rawBody?.toString() ?? null };
  }

  @Get('throws')
  throws() {
    throw new Error('SELECT secret FROM host');
  }

  @Get('task-error')
  taskError() {
    throw new TaskError('NOT_FOUND');
  }
}

const created = { status: 1, data: { input: 'in', status: 0 } };
const nestError = (statusCode: number) => ({ statusCode, message: expect.anything() });

describe.each(ADAPTERS)('host and module side by side, with %s', (adapter) => {
  let host: Host;
  afterEach(() => host?.close());
  const start = async (options: Partial<HostOptions> = {}) => {
    const nest = { logger: false as const, ...options.nest };
    host = await startHost({ engine: 'sqlite', adapter, controllers: [HostController], ...options, nest });
    return host;
  };
  const malformed = { headers: { 'content-type': 'application/json' }, raw: '{"half":' };
  const big = { json: { input: 'x'.repeat(1_100_000) } };

  /** The module's routes take every body type and answer in their envelope, whatever the host did. */
  async function expectModuleWorks(prefix = '') {
    for (const body of [{ json: { input: 'in' } }, { form: { input: 'in' } }, { multipart: { input: 'in' } }]) {
      const answer = await host.user('alice', 'POST', `${prefix}/api/tasks`, body);
      expect([answer.status, answer.body]).toMatchObject([200, created]);
    }
    const bad = await host.user('alice', 'POST', `${prefix}/api/tasks`, malformed);
    expect([bad.status, bad.body]).toMatchObject([400, { status: 0, data: { code: 14004 } }]);
    const large = await host.user('alice', 'POST', `${prefix}/api/tasks`, big);
    expect([large.status, large.body]).toMatchObject([413, { status: 0, data: { code: 14008 } }]);
    const gone = await host.user('alice', 'GET', `${prefix}/api/tasks/nothing`);
    expect([gone.status, gone.body]).toMatchObject([404, { status: 0, data: { code: 14001 } }]);
    expect((await host.worker('GET', `${prefix}/api/crontask`)).body).toEqual({ status: 1, data: [] });
  }

  it("the host's routes keep Nest's own errors", async () => {
    const { user } = await start();
    const post = async (options: object) => {
      const { status, body } = await user('alice', 'POST', '/host/echo', options);
      return [status, body] as const;
    };
    expect(await post({ json: { a: 1 } })).toEqual([201, { body: { a: 1 } }]);
    expect(await post(malformed)).toMatchObject([400, nestError(400)]);
    expect(await post(big)).toMatchObject([413, nestError(413)]);
    expect((await user('alice', 'GET', '/host/nothing')).body).toMatchObject(nestError(404));
    expect((await user('alice', 'GET', '/host/throws')).body).toEqual({
      statusCode: 500,
      message: 'Internal server error',
    });
    const thrown = await user('alice', 'GET', '/host/task-error');
    expect([thrown.status, thrown.body]).toMatchObject([404, { statusCode: 404, message: 'not found' }]);
    expect((await user('alice', 'PATCH', '/api/tasks')).body).toMatchObject(nestError(404));
    await expectModuleWorks();
  });

  it('a global prefix', async () => {
    await start({ configure: (app) => app.setGlobalPrefix('v1') });
    expect((await host.user('alice', 'GET', '/api/tasks')).status).toBe(404);
    await expectModuleWorks('/v1');
  });

  it('URI versioning with a default version', async () => {
    await start({ configure: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' }) });
    await expectModuleWorks('/v2');
  });

  it('a global filter, which sees the errors of the host only', async () => {
    const seen: string[] = [];
    @Catch()
    class Filter implements ExceptionFilter {
      catch(error: Error, context: ArgumentsHost) {
        seen.push(error.message);
        host.app.get(HttpAdapterHost).httpAdapter.reply(context.switchToHttp().getResponse(), { host: true }, 418);
      }
    }
    await start({ configure: (app) => app.useGlobalFilters(new Filter()) });
    await expectModuleWorks();
    expect(seen).toEqual([]);
    expect((await host.user('alice', 'GET', '/host/throws')).body).toEqual({ host: true });
    expect(seen).toEqual(['SELECT secret FROM host']);
  });

  it('a global ValidationPipe that forbids what it does not know', async () => {
    const pipe = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });
    await start({ configure: (app) => app.useGlobalPipes(pipe) });
    await expectModuleWorks();
  });

  it('a global interceptor, which runs, and changes headers but no answer', async () => {
    class Interceptor implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler) {
        host.app.get(HttpAdapterHost).httpAdapter.setHeader(context.switchToHttp().getResponse(), 'X-Host', 'yes');
        return next.handle().pipe(map((body: object) => ({ ...body, seen: true })));
      }
    }
    await start({ configure: (app) => app.useGlobalInterceptors(new Interceptor()) });
    const answer = await host.user('alice', 'GET', '/api/tasks');
    expect(answer.headers.get('x-host')).toBe('yes');
    expect(answer.body).toEqual({ status: 1, data: { list: [], nextCursor: null } });
  });

  it('CORS, on answers and on errors, malformed bodies included', async () => {
    await start({ nest: { cors: { origin: 'https://app.example.com' } } });
    const origin = { origin: 'https://app.example.com' };
    const answers = [
      await host.user('alice', 'GET', '/api/tasks', { headers: origin }),
      await host.user('alice', 'GET', '/api/tasks/nothing', { headers: origin }),
      await host.worker('GET', '/api/tasks', { headers: origin }),
      await host.user('alice', 'POST', '/api/tasks', { ...malformed, headers: { ...malformed.headers, ...origin } }),
      await host.user('alice', 'POST', '/api/tasks', { ...big, headers: origin }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 430, 400, 413]);
    for (const { headers } of answers) expect(headers.get('access-control-allow-origin')).toBe(origin.origin);
    const preflight = await host.user('alice', 'OPTIONS', '/api/tasks', {
      headers: { ...origin, 'access-control-request-method': 'DELETE' },
    });
    expect(preflight.status).toBe(204);
  });

  it('bodyParser: false', async () => {
    await start({ nest: { bodyParser: false } });
    await expectModuleWorks();
  });

  it('rawBody: true, which the host still has', async () => {
    await start({ nest: { rawBody: true } });
    await expectModuleWorks();
    const raw = await host.user('alice', 'POST', '/host/raw', { json: { a: 1 } });
    expect(raw.body).toEqual({ raw: '{"a":1}' });
  });

  it("the host's own limit for its own bodies", async () => {
    const configure = (app: INestApplication) =>
      adapter === 'express'
        ? (app as NestExpressApplication).useBodyParser('json', { limit: 1000 })
        : (app as NestFastifyApplication).useBodyParser('application/json', { bodyLimit: 1000 });
    await start({ configure });
    const json = { input: 'x'.repeat(2000) };
    expect((await host.user('alice', 'POST', '/host/echo', { json })).status).toBe(413);
    expect((await host.user('alice', 'POST', '/api/tasks', { json })).status).toBe(200);
  });
});

describe('a host on Fastify with a multipart parser of its own', () => {
  it('keeps it, and the module reads its own', async () => {
    const host = await startHost({
      engine: 'sqlite',
      adapter: 'fastify',
      controllers: [HostController],
      configure: (app) =>
        (app.getHttpAdapter().getInstance() as Fastify).addContentTypeParser(
          'multipart/form-data',
          (_request, payload, done) => {
            payload.resume();
            payload.on('end', () => done(null, { parsedBy: 'host' }));
          },
        ),
    });
    try {
      const multipart = { input: 'in' };
      expect((await host.user('alice', 'POST', '/host/echo', { multipart })).body).toEqual({
        body: { parsedBy: 'host' },
      });
      expect((await host.user('alice', 'POST', '/api/tasks', { multipart })).body).toMatchObject(created);
    } finally {
      await host.close();
    }
  });
});
