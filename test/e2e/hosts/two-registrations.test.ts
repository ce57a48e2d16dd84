import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module } from '@nestjs/common';
import { SwaggerModule } from '@nestjs/swagger';
import {
  WorkerTaskController,
  getTaskServiceToken,
  InjectTaskService,
  TASK_ERRORS,
  TASK_STATUS,
  TaskController,
  TaskModule,
  type TaskModuleOptions,
  TaskResponse,
  TaskService,
} from '../../../src/index.js';
import { BATTERY, HeaderGuard, type Host, startHost, WORKER_TOKEN } from '../../support/host.js';
import { call } from '../../support/http.js';
import {
  EVERYTHING,
  VideoController,
  VideoFields,
  VideoResponse,
  VideoTask,
  videoMigrations,
} from '../../support/swapped.js';

const VIDEOS: TaskModuleOptions = { ...EVERYTHING, name: 'videos' };
const PLAIN: TaskModuleOptions = {
  name: 'plain',
  table: 'plain_tasks',
  guards: [HeaderGuard],
  workerTokens: ['another-worker-token'],
  postTaskUri: '/plain/tasks',
  getTaskListUri: '/plain/tasks',
  deleteTaskUri: '/plain/tasks',
  getTaskUri: '/plain/tasks/{taskId}',
  putTaskUri: '/plain/tasks/{taskId}',
  getCronTaskUri: '/plain/crontask',
  putCronTaskUri: '/plain/crontask/{taskId}',
};

/** Depth-first, functions and class instances left alone: those are the host's own objects, compared elsewhere. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const plain = [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value));
  if (plain) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

/** All metadata and all members of a class, down to the functions. */
function fingerprint(target: object): unknown {
  const metadata = (holder: object, property?: string) =>
    Reflect.getMetadataKeys(holder, property!).map((key: unknown) => [
      String(key),
      Reflect.getMetadata(key, holder, property!) as unknown,
    ]);
  const { prototype } = target as { prototype?: object };
  const members = Object.entries(Object.getOwnPropertyDescriptors(prototype ?? {}));
  return [
    metadata(target),
    Object.getOwnPropertyNames(target),
    members.map(([name, { value }]) => [
      name,
      value,
      metadata(target, name),
      metadata(prototype!, name),
      typeof value === 'function' && name !== 'constructor' ? metadata(value as object) : [],
    ]),
  ];
}

const CLASSES = [
  ...[TaskController, WorkerTaskController, TaskResponse, VideoController, VideoFields, VideoResponse, VideoTask],
  ...[HeaderGuard, EVERYTHING.cronController, EVERYTHING.guards[0]!],
];

@Injectable()
class Feature {
  constructor(
    readonly tasks: TaskService,
    @InjectTaskService('plain') readonly plain: TaskService,
    @Inject(getTaskServiceToken('videos')) readonly videos: TaskService<VideoTask>,
  ) {}
}

@Module({ providers: [Feature] })
class FeatureModule {}

describe.each(BATTERY)('three registrations in one app on $engine with $adapter', (where) => {
  let host: Host;
  let feature: Feature;
  let before: unknown[];
  beforeAll(async () => {
    before = CLASSES.map(fingerprint);
    const imports = [TaskModule.forRoot(deepFreeze(VIDEOS)), TaskModule.forRoot(deepFreeze(PLAIN)), FeatureModule];
    host = await startHost({ ...where, options: deepFreeze({}), imports, typeorm: videoMigrations() });
    feature = host.app.get(Feature, { strict: false });
  });
  afterAll(() => host?.close());

  const alice = { headers: { 'x-key': 'open', 'x-owner': 'alice' } };

  it('keep their tasks apart', async () => {
    const main = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'main', status: 10 } });
    const plain = await host.user('alice', 'POST', '/plain/tasks', { json: { input: 'plain', status: 10 } });
    const json = { input: 'video', status: 110, title: 'Film' };
    const video = await call('POST', `${host.url}/api/videos/new`, { ...alice, json });
    expect((await host.user('alice', 'GET', '/api/tasks')).body.data.list).toEqual([main.body.data]);
    expect((await host.user('alice', 'GET', '/plain/tasks')).body.data.list).toEqual([plain.body.data]);
    expect((await host.user('alice', 'GET', `/plain/tasks/${main.body.data.taskId}`)).body.data.code).toBe(14001);
    expect((await host.worker('GET', '/api/crontask')).body.data.task.input).toBe('main');
    expect((await host.worker('GET', '/api/crontask')).body.data).toEqual([]);
    const headers = { authorization: 'Bearer another-worker-token' };
    expect((await host.worker('GET', '/plain/crontask', { headers })).body.data.task.input).toBe('plain');
    const claimed = await call('GET', `${host.url}/jobs`, { headers: { 'x-key': 'worker' } });
    expect(claimed.body.result.task).toMatchObject({ taskId: video.body.result.taskId, title: 'Film', status: 120 });
  });

  it('keep their guards and worker tokens apart', async () => {
    const another = { headers: { authorization: 'Bearer another-worker-token' } };
    expect((await host.worker('GET', '/plain/crontask')).body.data.code).toBe(10001);
    expect((await host.worker('GET', '/api/crontask', another)).body.data.code).toBe(10001);
    expect((await call('GET', `${host.url}/api/tasks`, alice)).body.data.code).toBe(10001);
    expect((await host.user('alice', 'GET', '/api/videos')).body.error.code).toBe(14002);
  });

  it('keep their error catalogues and envelopes apart', async () => {
    const nothing = await host.user('alice', 'GET', '/plain/tasks/nothing');
    expect([nothing.status, nothing.body]).toEqual([404, { status: 0, data: { code: 14001, msg: 'not found' } }]);
    const gone = await call('GET', `${host.url}/api/videos/nothing`, alice);
    expect([gone.status, gone.body]).toEqual([410, { ok: false, error: { code: 1, msg: 'no such video' } }]);
  });

  it('keep their body limits and fields apart', async () => {
    const plain = await host.user('alice', 'POST', '/plain/tasks', { json: { input: 'in', title: 1 } });
    expect(plain.body.data).not.toHaveProperty('title');
    const malformed = { headers: { ...alice.headers, 'content-type': 'application/json' }, raw: '{' };
    expect((await call('POST', `${host.url}/api/videos/new`, malformed)).body).toMatchObject({
      ok: false,
      error: { code: 14004 },
    });
    expect((await host.user('alice', 'POST', '/plain/tasks', malformed)).body).toMatchObject({
      status: 0,
      data: { code: 14004 },
    });
  });

  it('keep their schemas and operations in the OpenAPI document apart', () => {
    const document = SwaggerModule.createDocument(host.app, { openapi: '3.0.0', info: { title: '', version: '' } });
    const schemas = document.components!.schemas as Record<string, { properties: Record<string, object> }>;
    for (const name of ['task', 'workerTask', 'cronTask']) {
      expect(Object.keys(schemas)).toEqual(expect.arrayContaining([name, `${name}_plain`, `${name}_videos`]));
    }
    expect(schemas.task!.properties).not.toHaveProperty('title');
    expect(schemas.task_videos!.properties).toHaveProperty('title');
    expect(schemas.createTask!.properties).not.toHaveProperty('title');
    expect(schemas.createTask_videos!.properties).toHaveProperty('title');
    const shown = (path: string) => JSON.stringify(document.paths[path]!.get!.responses['200']);
    expect(shown('/api/tasks/{taskId}')).toContain('"#/components/schemas/task"');
    expect(shown('/plain/tasks/{taskId}')).toContain('"#/components/schemas/task_plain"');
    expect(shown('/api/videos/{taskId}')).toContain('"#/components/schemas/task_videos"');
    const operations = Object.values(document.paths).flatMap((path) =>
      Object.values(path as Record<string, { operationId?: string }>).map((operation) => operation.operationId),
    );
    expect(new Set(operations).size).toBe(operations.length);
  });

  it('have services of their own, injected by name', async () => {
    expect(new Set([feature.tasks, feature.plain, feature.videos]).size).toBe(3);
    expect(feature.tasks).toBe(host.tasks);
    const task = await feature.plain.create({ userId: 'bob', input: 'in', status: 10 });
    expect((await feature.tasks.list({ userId: 'bob' })).list).toEqual([]);
    expect((await feature.plain.claim({ taskId: task.taskId }))[0]?.taskId).toBe(task.taskId);
    expect(await feature.videos.create({ userId: 'bob', input: 'in', title: 'Film' })).toMatchObject({
      title: 'Film',
      status: 100,
    });
  });

  it('write to nothing that the host passed in, and to none of our classes', () => {
    expect(CLASSES.map(fingerprint)).toEqual(before);
    expect(TASK_STATUS.BEGIN).toBe(10);
    expect(TASK_ERRORS.NOT_FOUND.httpCode).toBe(404);
    expect(WORKER_TOKEN).not.toBe('another-worker-token');
  });
});
