import { afterAll, describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  ClassSerializerInterceptor,
  type ExecutionContext,
  ForbiddenException,
  type INestApplication,
  type NestInterceptor,
  type PipeTransform,
  Req,
  RequestTimeoutException,
  UseInterceptors,
  ValidationPipe,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { catchError, finalize, map, type Observable, of, tap, throwError, timeout, TimeoutError } from 'rxjs';
import { ListTasksDto, TaskController, TaskInput, type TaskModuleOptions, UserId } from '../../../../src/index.js';
import { dataOf, expectFailure } from '../../../support/answers.js';
import { ADAPTERS, type Host, startHost } from '../../../support/host.js';

const interceptor = (intercept: NestInterceptor['intercept']): NestInterceptor => ({ intercept });
const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<{ url: string; method: string }>();

/** As @nestjs/cache-manager has it: answers of GETs by their URL. */
class CacheInterceptor implements NestInterceptor {
  readonly kept = new Map<string, unknown>();
  hits = 0;

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { method, url } = requestOf(context);
    if (method !== 'GET') return next.handle();
    if (this.kept.has(url)) {
      this.hits++;
      return of(this.kept.get(url));
    }
    return next.handle().pipe(tap((answer) => this.kept.set(url, answer)));
  }
}

const wrapping = interceptor((_, next) => next.handle().pipe(map((data: unknown) => ({ data }))));
const mutating = interceptor((_, next) =>
  next.handle().pipe(tap((answer: { data: unknown }) => void (answer.data = 'mutated'))),
);
const timingOut = (ms: number): NestInterceptor =>
  interceptor((_, next) =>
    next.handle().pipe(
      timeout(ms),
      catchError((error: unknown) =>
        throwError(() => (error instanceof TimeoutError ? new RequestTimeoutException() : error)),
      ),
    ),
  );

/** Runs a life of a task against a host, over the wire: what answers, and with what. */
async function expectContract(host: Host): Promise<void> {
  const service = `s${Math.random()}`;
  const create = (input: string) => host.user('alice', 'POST', '/api/tasks', { json: { input, service, status: 10 } });
  const first = dataOf(await create('first'));
  dataOf(await host.user('alice', 'POST', '/api/tasks', { multipart: { input: 'second', service, status: '10' } }));
  expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${first.taskId}`))).toEqual(first);
  // The same URL each time: the third finds nothing.
  const claims = [];
  for (let i = 0; i < 3; i++) claims.push(await host.worker('GET', '/api/crontask', { query: { service } }));
  expect(claims.map((claim) => claim.headers.get('cache-control'))).toEqual(Array(3).fill('no-cache, no-store'));
  const inputs = claims.map((claim) => dataOf(claim).task?.input as string | undefined);
  expect(inputs).toEqual(['first', 'second', undefined]);
  const [{ leaseToken }] = claims.map(dataOf);
  const path = `/api/crontask/${first.taskId}`;
  const report = await host.worker('PUT', path, { json: { leaseToken, status: 30, output: 'out' } });
  expect(dataOf(report).task).toMatchObject({ status: 30, output: 'out' });
  // The same URL again, the answer of now.
  expect(dataOf(await host.user('alice', 'GET', `/api/tasks/${first.taskId}`))).toMatchObject({ status: 30 });
  const list = await host.user('alice', 'GET', '/api/tasks', { query: { service } });
  expect(dataOf(list).list).toHaveLength(2);
  expect(list.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expectFailure(await host.user('bob', 'GET', `/api/tasks/${first.taskId}`), 'INVALID_ACCESS');
  expectFailure(await host.user('alice', 'POST', '/api/tasks', { json: {} }), 'INVALID_PARAM', ['input', 'isDefined']);
}

describe.each(ADAPTERS)('global interceptors and pipes of a host, with %s', (adapter) => {
  const started: Host[] = [];
  afterAll(() => Promise.all(started.map((host) => host.close())));

  async function start(configure: (app: INestApplication) => void, options: TaskModuleOptions = {}): Promise<Host> {
    const host = await startHost({ engine: 'sqlite', adapter, configure, options });
    started.push(host);
    return host;
  }

  const cases: Record<string, (app: INestApplication) => void> = {
    'none at all': () => undefined,
    'an envelope of the host': (app) => app.useGlobalInterceptors(wrapping),
    'one that changes the answer in place': (app) => app.useGlobalInterceptors(mutating),
    'one that answers text': (app) =>
      app.useGlobalInterceptors(interceptor((_, next) => next.handle().pipe(map(String)))),
    'a cache': (app) => app.useGlobalInterceptors(new CacheInterceptor()),
    'a serializer that excludes all': (app) =>
      app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector), { strategy: 'excludeAll' })),
    'one that swallows failures': (app) =>
      app.useGlobalInterceptors(interceptor((_, next) => next.handle().pipe(catchError(() => of('sorry'))))),
    'one that makes other failures of them': (app) =>
      app.useGlobalInterceptors(
        interceptor((_, next) => next.handle().pipe(catchError(() => throwError(() => new ForbiddenException())))),
      ),
    'one that changes status and headers': (app) =>
      app.useGlobalInterceptors(
        interceptor((context, next) =>
          next.handle().pipe(
            tap(() => {
              const response = context
                .switchToHttp()
                .getResponse<{ status(code: number): void; header(name: string, value: string): void }>();
              response.status(202);
              response.header('Content-Type', 'text/plain');
            }),
          ),
        ),
      ),
    'pipes that validate custom decorators': (app) =>
      app.useGlobalPipes(
        new ValidationPipe({
          validateCustomDecorators: true,
          whitelist: true,
          forbidNonWhitelisted: true,
          forbidUnknownValues: true,
          transform: true,
          transformOptions: { enableImplicitConversion: true },
        }),
      ),
    'pipes that change all they are given': (app) =>
      app.useGlobalPipes({ transform: (value) => (typeof value === 'string' ? 'x' : {}) } satisfies PipeTransform),
    'all of them at once': (app) =>
      app.useGlobalInterceptors(new CacheInterceptor(), wrapping, mutating, timingOut(30_000)),
  };
  it.each(Object.entries(cases))('change nothing on the wire: %s', async (_, configure) => {
    await expectContract(await start(configure));
  });

  it('look on as ever: values, failures, ends, headers of their own', async () => {
    const seen: unknown[] = [];
    const onlooker = interceptor((context, next) => {
      const { method } = requestOf(context);
      return next.handle().pipe(
        tap({
          next: (value: unknown) => {
            seen.push([method, value]);
            context.switchToHttp().getResponse<{ header(name: string, value: string): void }>().header('x-time', '1');
          },
          error: (error: Error) => seen.push([method, error.message]),
        }),
        finalize(() => seen.push('end')),
      );
    });
    const host = await start((app) => app.useGlobalInterceptors(onlooker));
    const made = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } });
    expect(made.headers.get('x-time')).toBe('1');
    await host.user('alice', 'GET', '/api/tasks/nobody');
    expect(seen).toEqual([['POST', made.body], 'end', ['GET', 'not found'], 'end']);
  });

  it('a timeout ends the wait: nothing is taken for a client that was answered', async () => {
    const host = await start((app) => app.useGlobalInterceptors(timingOut(150)));
    for (const key of [undefined, 'a-key']) {
      const service = `late-${key}`;
      const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
      const claim = await host.worker('GET', '/api/crontask', { query: { service, wait: 20 }, headers });
      expect([claim.status, claim.body.status, claim.body.data.code]).toEqual([408, 0, 408]);
      const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in', service, status: 10 });
      const next = await host.worker('GET', '/api/crontask', { query: { service } });
      expect(dataOf(next).task).toMatchObject({ taskId, attempt: 1 });
    }
  });

  it('what a host puts on its own controller counts, under any global ones', async () => {
    class Controller extends TaskController {
      @UseInterceptors(
        interceptor((_, next) => next.handle().pipe(map((answer: object) => ({ ...answer, by: 'host' })))),
      )
      override async get(userId: string, taskId: string) {
        return super.get(userId, taskId);
      }
    }
    const host = await start((app) => app.useGlobalInterceptors(wrapping), { controller: Controller });
    const { taskId } = dataOf(await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } }));
    const got = await host.user('alice', 'GET', `/api/tasks/${taskId}`);
    expect(got.body).toEqual({ status: 1, data: expect.objectContaining({ taskId }), by: 'host' });
  });

  it('a handler with parameters of the host is called past a cache, too', async () => {
    class Controller extends TaskController {
      override async list(
        @UserId() userId: string,
        @TaskInput('GET') query: ListTasksDto,
        @Req() request?: { headers: Record<string, string> },
      ) {
        const { list } = await super.list(userId, query);
        return { list, nextCursor: request!.headers['x-user']! };
      }
    }
    const cache = new CacheInterceptor();
    const host = await start((app) => app.useGlobalInterceptors(cache), { controller: Controller });
    for (const user of ['alice', 'bob'])
      expect(dataOf(await host.user(user, 'GET', '/api/tasks'))).toEqual({ list: [], nextCursor: user });
    expect(cache.hits).toBe(1);
  });
});
