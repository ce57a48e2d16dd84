import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Get,
  Header,
  HttpCode,
  Inject,
  Injectable,
  Param,
  Scope,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { SwaggerModule } from '@nestjs/swagger';
import {
  BatchController,
  type ClaimAnswer,
  type ClaimTaskDto,
  type CreateTaskDto,
  WorkerTaskController,
  type CronTaskJson,
  type ListJson,
  type ListTasksDto,
  OperatorController,
  type RemovalJson,
  type RemoveTasksDto,
  type ReportTaskDto,
  ScheduleController,
  TaskController,
  type TaskJson,
  type TaskModuleOptions,
  type UpdateTaskDto,
  UserId,
} from '../../../../src/index.js';
import { ADAPTERS, type Host, startHost } from '../../../support/host.js';
import { call } from '../../../support/http.js';
import { PlainText } from '../../../../src/http/binding/plain-text.js';
import { SCHEDULE_ROUTES } from '../../../../src/http/binding/schedule.routes.js';
import { OPERATOR_ROUTES } from '../../../../src/http/binding/operator.routes.js';
import { pathOf, sourceOf } from '../../../../src/http/binding/route-definition.js';
import { ROUTES } from '../../../../src/http/binding/route-table.js';
import { TaskUris } from '../../../../src/http/http.options.js';

/** Every handler overridden, none decorated again; each leaves its name in what it answers. */
class Undecorated extends TaskController {
  override async create(userId: string, body: CreateTaskDto): Promise<TaskJson> {
    return { ...(await super.create(userId, body)), by: 'create' };
  }
  override async list(userId: string, query: ListTasksDto): Promise<ListJson & { by?: string }> {
    return { ...(await super.list(userId, query)), by: 'list' };
  }
  override async remove(userId: string, body: RemoveTasksDto): Promise<RemovalJson & { by?: string }> {
    return { ...(await super.remove(userId, body)), by: 'remove' };
  }
  override async get(userId: string, taskId: string): Promise<TaskJson> {
    return { ...(await super.get(userId, taskId)), by: 'get' };
  }
  override async update(userId: string, taskId: string, body: UpdateTaskDto): Promise<TaskJson> {
    return { ...(await super.update(userId, taskId, body)), by: 'update' };
  }
}

class UndecoratedWorkers extends WorkerTaskController {
  override async claim(query: ClaimTaskDto): Promise<ClaimAnswer> {
    const claimed = await super.claim(query);
    return 'task' in claimed ? { ...claimed, task: { ...claimed.task, by: 'claim' } } : claimed;
  }
  override async report(taskId: string, body: ReportTaskDto): Promise<CronTaskJson> {
    const reported = await super.report(taskId, body);
    return { ...reported, task: { ...reported.task, by: 'report' } };
  }
}

class UndecoratedOperators extends OperatorController {}
class UndecoratedSchedules extends ScheduleController {}
class UndecoratedBatches extends BatchController {}
for (const [Undecorated, routes] of [
  [UndecoratedOperators, OPERATOR_ROUTES],
  [UndecoratedSchedules, SCHEDULE_ROUTES],
] as const)
  for (const handler of new Set(routes.map(sourceOf))) {
    const proto = Undecorated.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
    const ours = proto[handler]!;
    const value = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const answer = await ours.apply(this, args);
      return answer instanceof PlainText ? answer : { ...(answer as object), by: handler };
    };
    Object.defineProperty(proto, handler, { value, writable: true, configurable: true });
  }

class Nobody implements CanActivate {
  canActivate = (): boolean => false;
}
class Guarded extends TaskController {
  @UseGuards(Nobody)
  override async remove(userId: string, body: RemoveTasksDto): Promise<RemovalJson> {
    return super.remove(userId, body);
  }
}
/** The guard is the nearest ancestor's. */
class GuardedAbove extends Guarded {
  override async remove(userId: string, body: RemoveTasksDto): Promise<RemovalJson> {
    return super.remove(userId, body);
  }
}

const documentOf = ({ app }: Host) =>
  SwaggerModule.createDocument(app, { openapi: '3.0.0', info: { title: 'test', version: '1' } });

describe.each(ADAPTERS)('handlers overridden without decorators, with %s', (adapter) => {
  let host: Host;
  let plain: Host;
  beforeAll(async () => {
    const options = {
      schedules: true,
      scheduleUri: '/api/schedules',
      scheduleController: UndecoratedSchedules,
      batchUri: '/api/batches',
      batchController: UndecoratedBatches,
      controller: Undecorated,
      cronController: UndecoratedWorkers,
      operatorController: UndecoratedOperators,
      operatorGuards: [],
    };
    host = await startHost({ engine: 'sqlite', adapter, options });
    const served = {
      schedules: true,
      scheduleUri: '/api/schedules',
      batchUri: '/api/batches',
      operatorGuards: [],
    };
    plain = await startHost({ engine: 'sqlite', adapter, options: served });
  });
  afterAll(async () => {
    await host?.close();
    await plain?.close();
  });

  it('keep their routes, each in the envelope, and their aliases', async () => {
    const created = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in', status: 10 } });
    expect([created.status, created.body.data.by]).toEqual([200, 'create']);
    const path = `/api/tasks/${created.body.data.taskId}`;
    expect((await host.user('alice', 'GET', '/api/tasks')).body.data).toMatchObject({ by: 'list' });
    expect((await host.user('alice', 'GET', path)).body.data.by).toBe('get');
    expect((await host.user('alice', 'PUT', path, { json: { args: 'x' } })).body.data.by).toBe('update');
    expect((await host.user('alice', 'POST', path, { multipart: { _method: 'PUT' } })).body.data.by).toBe('update');
    const { task } = (await host.worker('GET', '/api/crontask')).body.data;
    expect(task.by).toBe('claim');
    const cronPath = `/api/crontask/${task.taskId}`;
    const report = (method: string) => host.worker(method, cronPath, { form: { progress: '1' } });
    expect((await report('PUT')).body.data.task.by).toBe('report');
    expect((await report('POST')).body.data.task.by).toBe('report');
    expect((await host.user('alice', 'DELETE', '/api/tasks', { json: { ids: ['x'] } })).body.data.by).toBe('remove');
    const form = { _method: 'DELETE', ids: '["x"]' };
    expect((await host.user('alice', 'POST', '/api/tasks', { form })).body.data.by).toBe('remove');
  });

  it('keep the routes of operators, also those by POST', async () => {
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in' });
    const ask = async (method: string, path: string, json?: object) =>
      (await call(method, `${host.url}/api/operator${path}`, json ? { json } : {})).body.data.by;
    for (const name of ['overview', 'stats', 'services', 'callbacks', 'workers'])
      expect([name, await ask('GET', `/${name}`)]).toEqual([name, name]);
    expect(await ask('GET', '/tasks')).toBe('list');
    expect(await ask('POST', '/tasks/list', {})).toBe('list');
    expect(await ask('GET', '/bulk')).toBe('bulks');
    expect(await ask('GET', `/tasks/${taskId}`)).toBe('get');
    expect(await ask('PUT', `/tasks/${taskId}`, { priority: 1 })).toBe('update');
    expect(await ask('PUT', '/services/a', { paused: false })).toBe('setService');
    expect(await ask('POST', '/callbacks/replay', {})).toBe('replayCallbacks');
    expect(await ask('POST', '/bulk', { action: 'retry', all: true, dryRun: true })).toBe('bulk');
    expect(await ask('DELETE', '/tasks', { ids: [taskId] })).toBe('remove');
  });

  it('keep the routes of schedules, of users and of operators', async () => {
    const json = { cron: '@daily', task: { input: 'in' } };
    const user = async (method: string, path: string) =>
      (await host.user('alice', method, `/api/schedules${path}`, method === 'PUT' ? { json } : {})).body.data.by;
    expect([await user('PUT', '/a'), await user('GET', ''), await user('GET', '/a')]).toEqual(['set', 'list', 'get']);
    for (const name of ['pause', 'resume', 'run']) expect(await user('POST', `/a/${name}`)).toBe(name);
    const ask = async (method: string, path: string) => {
      const owner = method === 'GET' ? {} : { json: { userId: 'alice' } };
      return (await call(method, `${host.url}/api/operator/schedules${path}`, owner)).body.data.by;
    };
    expect([await ask('GET', ''), await ask('GET', '/a?userId=alice')]).toEqual(['schedules', 'schedule']);
    for (const name of ['pause', 'resume', 'run']) expect(await ask('POST', `/a/${name}`)).toBe(`${name}Schedule`);
    expect(await ask('DELETE', '/a')).toBe('removeSchedule');
    expect((await host.user('alice', 'PUT', '/api/schedules/a', { json: { ...json, cron: 1 } })).status).toBe(400);
    await user('PUT', '/a');
    expect(await user('DELETE', '/a')).toBe('remove');
  });

  it('keep their validation', async () => {
    const bad: [method: string, path: string, json: object][] = [
      ['POST', '/api/tasks', {}],
      ['PUT', '/api/tasks/x', { status: 'ready' }],
      ['POST', '/api/tasks/x', { status: 'ready' }],
      ['DELETE', '/api/tasks', {}],
    ];
    for (const [method, path, json] of bad)
      expect((await host.user('alice', method, path, { json })).body.data.code).toBe(14004);
    expect((await host.user('alice', 'GET', '/api/tasks?page=0')).body.data.code).toBe(14004);
    expect((await host.worker('PUT', '/api/crontask/x', { json: { progress: -1 } })).body.data.code).toBe(14004);
    expect((await host.worker('GET', `/api/crontask?service=${'x'.repeat(65)}`)).body.data.code).toBe(14004);
  });

  it('keep their guards', async () => {
    expect((await host.worker('GET', '/api/tasks')).body.data.code).toBe(10001);
    expect((await host.user('alice', 'GET', '/api/crontask')).body.data.code).toBe(10001);
  });

  it('keep their place in the OpenAPI document, to the letter', () => {
    expect(documentOf(host)).toEqual(documentOf(plain));
    expect(Object.keys(documentOf(host).paths)).toHaveLength(
      new Set(
        ROUTES.map((route) =>
          pathOf(route, { ...new TaskUris(), scheduleUri: '/api/schedules', batchUri: '/api/batches' }),
        ),
      ).size,
    );
  });
});

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  private static made = 0;
  readonly number = ++PerRequest.made;
}

class Rich extends TaskController {
  @Inject(PerRequest) private readonly perRequest!: PerRequest;

  /** An accessor: must not be touched before there is an instance. */
  get owner(): string {
    return this.options.name;
  }

  @Get('/api/tasks/:taskId/owner')
  ownerOf() {
    return this.owner;
  }

  @Get('/api/tasks/:taskId/input')
  async inputOf(@UserId() userId: string, @Param('taskId') taskId: string): Promise<string> {
    return (await this.get(userId, taskId)).input;
  }

  @Get('/api/tasks/stats')
  stats() {
    return { number: this.perRequest.number };
  }

  /** An override may say what it wants otherwise; the rest stays. */
  @HttpCode(202)
  @Header('X-Made-By', 'host')
  @SetMetadata('role', 'maker')
  override async create(userId: string, body: CreateTaskDto): Promise<TaskJson> {
    return super.create(userId, body);
  }
}

/** Two steps below ours: the nearer class wins, the farther one counts where it is silent. */
class Richer extends Rich {
  override async create(userId: string, body: CreateTaskDto): Promise<TaskJson> {
    return { ...(await super.create(userId, body)), richer: true };
  }
}

describe.each(ADAPTERS)('a guard on remove, with %s', (adapter) => {
  it.each([Guarded, GuardedAbove])('is not passed by with _method=DELETE (%p)', async (controller) => {
    const host = await startHost({ engine: 'sqlite', adapter, options: { controller } });
    const { taskId } = await host.tasks.create({ userId: 'alice', input: 'in' });
    const fields = { ids: JSON.stringify([taskId]) };
    expect((await host.user('alice', 'DELETE', '/api/tasks', { form: fields })).status).toBe(430);
    const form = { ...fields, _method: 'DELETE' };
    expect((await host.user('alice', 'POST', '/api/tasks', { form })).body.data.code).toBe(14004);
    expect(await host.tasks.get(taskId)).toMatchObject({ taskId });
    await host.close();
  });
});

describe.each(ADAPTERS)('what a host adds to a controller, with %s', (adapter) => {
  let host: Host | undefined;
  afterEach(() => host?.close());
  const start = async (controller: TaskModuleOptions['controller']) => {
    class Providers {}
    const imports = [{ module: Providers, providers: [PerRequest], exports: [PerRequest] }];
    return (host = await startHost({ engine: 'sqlite', adapter, options: { controller, imports } }));
  };

  it('answers a fixed path before the path with a parameter, behind the same guards', async () => {
    const { user, worker } = await start(Rich);
    expect((await user('alice', 'GET', '/api/tasks/stats')).body).toMatchObject({ status: 1 });
    expect((await user('alice', 'GET', '/api/tasks/x/owner')).body).toEqual({ status: 1, data: 'default' });
    // What one handler gets from another is what that returns, without an envelope.
    const { taskId } = (await user('alice', 'POST', '/api/tasks', { json: { input: 'in' } })).body.data;
    expect((await user('alice', 'GET', `/api/tasks/${taskId}/input`)).body).toEqual({ status: 1, data: 'in' });
    expect((await user('alice', 'GET', '/api/tasks/other')).body.data.code).toBe(14001);
    expect((await worker('GET', '/api/tasks/stats')).body.data.code).toBe(10001);
  });

  it('injects request-scoped providers, a new one for each request', async () => {
    const { user } = await start(Rich);
    const first = (await user('alice', 'GET', '/api/tasks/stats')).body.data.number;
    const second = (await user('alice', 'GET', '/api/tasks/stats')).body.data.number;
    expect(second).toBeGreaterThan(first);
    const created = await user('alice', 'POST', '/api/tasks', { json: { input: 'in', status: 10 } });
    expect(created.body.data).toMatchObject({ input: 'in', status: 10 });
  });

  it('takes decorators of an override, and of the classes between', async () => {
    const { user, app } = await start(Richer);
    const created = await user('alice', 'POST', '/api/tasks', { json: { input: 'in' } });
    expect([created.status, created.headers.get('x-made-by')]).toEqual([202, 'host']);
    expect(created.body).toMatchObject({ status: 1, data: { input: 'in', richer: true } });
    const document = SwaggerModule.createDocument(app, { openapi: '3.0.0', info: { title: '', version: '' } });
    expect(document.paths['/api/tasks/stats']!.get!.security).toEqual([{ user: [] }]);
  });
});
