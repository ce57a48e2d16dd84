import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  Post,
  UnauthorizedException,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { map, type Observable, tap } from 'rxjs';
import { isTaskWorkerRoute, TaskController } from '../../src/index.js';
import { dataOf, expectFailure } from '../support/answers.js';
import { ADAPTERS, type Host, type HostOptions, startHost } from '../support/host.js';

const EXCLUDE = ['api/tasks{/*path}', 'api/crontask{/*path}'];

@Controller('own')
class Own {
  @Post()
  echo(@Body() body: object): object {
    return body;
  }
}

/** A middleware for these routes, and the addresses that it has seen. */
function auditOf(...routes: any[]) {
  const seen: string[] = [];
  @Module({})
  class Audited {
    configure(consumer: MiddlewareConsumer): void {
      consumer
        .apply((request: { originalUrl: string }, _: unknown, next: () => void) => {
          seen.push(request.originalUrl);
          next();
        })
        .forRoutes(...routes);
    }
  }
  return { module: Audited, seen };
}

describe.each(ADAPTERS)('what docs/recipes/existing-app.md says, on %s', (adapter) => {
  let host: Host | undefined;
  const stop = async (): Promise<void> => {
    await host?.close();
    host = undefined;
  };
  afterEach(stop);
  const start = async (given: Partial<HostOptions>): Promise<Host> =>
    (host = await startHost({ engine: 'sqlite', adapter, controllers: [Own], ...given }));

  /** A life of a task at these addresses. */
  async function expectToWork({ user, worker }: Host, tasks: string, crontask: string): Promise<string> {
    const { taskId } = dataOf(await user('alice', 'POST', tasks, { json: { input: 'x', status: 10 } }));
    const { leaseToken, updateUrl } = dataOf(await worker('GET', crontask, { query: { lease: '60' } }));
    dataOf(await worker('PUT', `${crontask}/${taskId}`, { json: { leaseToken, status: 30 } }));
    expect(dataOf(await user('alice', 'GET', `${tasks}/${taskId}`)).status).toBe(30);
    return updateUrl;
  }

  it('routes are left out of a global prefix', async () => {
    const own = await start({ configure: (app) => app.setGlobalPrefix('api', { exclude: EXCLUDE }) });
    await expectToWork(own, '/api/tasks', '/api/crontask');
    expect((await own.user('alice', 'POST', '/api/own', { json: { a: 1 } })).body).toEqual({ a: 1 });
  });

  it('a guard for users refuses workers, and lets them pass once it is wrapped', async () => {
    class UsersOnly implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        if (!context.switchToHttp().getRequest().headers['x-user']) throw new UnauthorizedException();
        return true;
      }
    }
    class Wrapped extends UsersOnly {
      override canActivate(context: ExecutionContext): boolean {
        return isTaskWorkerRoute(context) || super.canActivate(context);
      }
    }
    const guardedBy = (useClass: new () => CanActivate) => {
      @Module({ providers: [{ provide: APP_GUARD, useClass }] })
      class Guarded {}
      return { imports: [Guarded] };
    };
    const refusing = await start(guardedBy(UsersOnly));
    expect((await refusing.worker('GET', '/api/crontask')).status).toBe(430);
    await stop();
    await expectToWork(await start(guardedBy(Wrapped)), '/api/tasks', '/api/crontask');
  });

  it('global pipes, interceptors and filters change nothing of the routes, and look on', async () => {
    const seen: string[] = [];
    const caught: unknown[] = [];
    const configure = (app: INestApplication): void => {
      app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
      app.useGlobalInterceptors({
        intercept: (context: ExecutionContext, next: CallHandler): Observable<unknown> =>
          next.handle().pipe(
            tap(() => seen.push(context.getHandler().name)),
            map((answer: unknown) => ({ wrapped: answer })),
          ),
      });
      app.useGlobalFilters({
        catch(error: unknown, context) {
          caught.push(error);
          app.getHttpAdapter().reply(context.getArgByIndex(1), { mine: true }, 418);
        },
      });
    };
    const own = await start({ configure });
    await expectToWork(own, '/api/tasks', '/api/crontask');
    expect(seen).toHaveLength(4);
    expectFailure(await own.user('alice', 'GET', '/api/tasks/none'), 'NOT_FOUND');
    expect(caught).toEqual([]);
    expect((await own.user('alice', 'GET', '/elsewhere')).status).toBe(418);
    expect((await own.user('alice', 'POST', '/own', { json: { a: 1 } })).body).toEqual({ wrapped: { a: 1 } });
  });

  it('a version stands before the URIs, and not in updateUrl', async () => {
    const configure = (app: INestApplication): void =>
      void app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    const callbackUrl = 'https://app.example.com/ended';
    const own = await start({ configure, options: { callbackUrl, deliverCallbacks: false } });
    expect(await expectToWork(own, '/v1/api/tasks', '/v1/api/crontask')).toBe(callbackUrl);
    expect((await own.user('alice', 'GET', '/api/tasks')).status).toBe(404);
  });

  it.each([
    { name: 'a plain app', configure: () => undefined, before: '', path: 'api/tasks{/*path}', tasks: '/api/tasks' },
    {
      name: 'a version',
      configure: (app: INestApplication) =>
        void app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
      before: '/v1',
      path: 'api/tasks{/*path}',
      tasks: '/api/tasks',
    },
    {
      name: 'a global prefix',
      configure: (app: INestApplication) => void app.setGlobalPrefix('api'),
      before: '/api',
      path: 'tasks{/*path}',
      tasks: '/tasks',
    },
  ])('a middleware by path runs once for each request, in $name', async ({ configure, before, path, tasks }) => {
    const { module, seen } = auditOf(path);
    const uris = { postTaskUri: tasks, getTaskListUri: tasks, deleteTaskUri: tasks };
    const options = { ...uris, getTaskUri: `${tasks}/{taskId}`, putTaskUri: `${tasks}/{taskId}` };
    const own = await start({ imports: [module], configure, options });
    const requests = [tasks, `${tasks}/none`].map((address) => before + address);
    for (const address of requests) await own.user('alice', 'GET', address);
    await own.worker('GET', `${before}/api/crontask`);
    expect(seen).toEqual(requests);
  });

  it('a middleware for TaskController is an error', async () => {
    const starting = startHost({ engine: 'sqlite', adapter, imports: [auditOf(TaskController).module] });
    await expect(starting).rejects.toThrow('"TaskController" passed to forRoutes()');
  });

  it("the app's limit of bodies holds for its own routes, option bodyLimit for the module's", async () => {
    const http = adapter === 'fastify' ? new FastifyAdapter({ bodyLimit: 1000 }) : undefined;
    const configure = (app: any): void => void (adapter === 'express' && app.useBodyParser('json', { limit: 1000 }));
    const large = { json: { input: 'x'.repeat(2000), status: 10 } };
    const own = await start({ http, configure, options: { bodyLimit: 4000 } });
    expect((await own.user('alice', 'POST', '/own', large)).status).toBe(413);
    dataOf(await own.user('alice', 'POST', '/api/tasks', large));
    const larger = { json: { input: 'x'.repeat(5000) } };
    expectFailure(await own.user('alice', 'POST', '/api/tasks', larger), 'TOO_LARGE', ['body', 'bodyLimit']);
  });

  it("a report's three texts may need a higher bodyLimit", async () => {
    const text = '\u0001'.repeat(65_535);
    for (const [options, works] of [
      [{}, false],
      [{ bodyLimit: 2 * 1024 * 1024 }, true],
    ] as const) {
      const own = await start({ options });
      const { taskId } = dataOf(await own.user('alice', 'POST', '/api/tasks', { json: { input: 'x', status: 10 } }));
      await own.worker('GET', '/api/crontask');
      const json = { status: -10, temp: text, output: text, error: text };
      const answer = await own.worker('PUT', `/api/crontask/${taskId}`, { json });
      if (works) expect(dataOf(answer).task.error).toBe(text);
      else expectFailure(answer, 'TOO_LARGE', ['body', 'bodyLimit']);
      await stop();
    }
  });

  it('unknown fields are named, or refused; priorities below 0 are for code of the app', async () => {
    const json = { input: 'x', stauts: 10 };
    const own = await start({});
    const ignored = await own.user('alice', 'POST', '/api/tasks', { json });
    expect([ignored.status, ignored.headers.get('x-task-ignored')]).toEqual([200, 'stauts']);
    const early = { input: 'x', priority: -1 };
    expectFailure(await own.user('alice', 'POST', '/api/tasks', { json: early }), 'INVALID_PARAM', ['priority', 'min']);
    expect((await own.tasks.create({ ...early, userId: 'alice' })).priority).toBe(-1);
    await stop();
    const strict = await start({ options: { strictFields: true } });
    expect((await strict.user('alice', 'POST', '/api/tasks', { json })).status).toBe(400);
  });
});
