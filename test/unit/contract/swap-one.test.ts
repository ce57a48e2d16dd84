import { afterEach, describe, expect, it } from '@jest/globals';
import type { TaskModuleOptions } from '../../../src/index.js';
import { ADAPTERS, type Host, type HostOptions, startHost, WHOLE, WORKER_TOKEN } from '../../support/host.js';
import { call } from '../../support/http.js';
import {
  EVERYTHING,
  forRootAsync,
  KeyGuard,
  VIDEO_ERRORS,
  VIDEO_STATUS,
  VIDEO_URIS,
  VideoController,
  VideoOperatorController,
  VideoWorkerController,
  VideoFields,
  VideoResponse,
  VideoTask,
  videoMigrations,
} from '../../support/swapped.js';

const BEGIN = 10;
const json = { input: 'in', status: BEGIN };

interface Case {
  option: string;
  options: TaskModuleOptions;
  typeorm?: HostOptions['typeorm'];
  /** What is other than by default; everything else is as ever. */
  proof: (host: Host) => Promise<void>;
}

const CASES: Case[] = [
  {
    option: 'entity',
    options: { entity: VideoTask },
    typeorm: videoMigrations({ ...VIDEO_STATUS, INIT: 0, BEGIN: 10, START: 20, FINISHED: 30 }),
    proof: async (host) => {
      const created = await host.user('alice', 'POST', '/api/tasks', { json: { ...json, title: 'not for users' } });
      expect(created.body.data).toMatchObject({ input: 'in', title: '' });
      expect((await host.worker('GET', '/api/crontask')).body.data.task).toMatchObject({ title: '' });
    },
  },
  {
    option: 'dto',
    options: { entity: VideoTask, dto: VideoFields },
    typeorm: videoMigrations({ ...VIDEO_STATUS, INIT: 0, BEGIN: 10, START: 20, FINISHED: 30 }),
    proof: async (host) => {
      const created = await host.user('alice', 'POST', '/api/tasks', { multipart: { input: 'in', title: 'Film' } });
      expect(created.body.data.title).toBe('Film');
      const path = `/api/tasks/${created.body.data.taskId}`;
      expect((await host.user('alice', 'PUT', path, { form: { args: 'x' } })).body.data.title).toBe('Film');
      expect((await host.user('alice', 'PUT', path, { json: { title: 'Movie' } })).body.data.title).toBe('Movie');
      const wrong = await host.user('alice', 'PUT', path, { json: { title: 1 } });
      expect(wrong.body.data).toMatchObject({ code: 14004, detail: [{ field: 'title', rule: 'isString' }] });
    },
  },
  {
    option: 'controller',
    options: { controller: VideoController },
    proof: async (host) => {
      expect((await host.user('alice', 'POST', '/api/tasks', { json })).body.data.overridden).toBe(true);
      expect((await host.user('alice', 'GET', '/api/tasks/stats')).body).toEqual({ status: 1, data: { count: 1 } });
    },
  },
  {
    option: 'cronController',
    options: { cronController: VideoWorkerController },
    proof: async (host) => {
      await host.user('alice', 'POST', '/api/tasks', { json });
      expect((await host.worker('GET', '/api/crontask')).body.data.task.claimedFrom).toBe('here');
    },
  },
  {
    option: 'operatorController',
    options: { operatorController: VideoOperatorController, operatorGuards: [] },
    proof: async (host) => {
      await host.user('alice', 'POST', '/api/tasks', { json });
      const ask = async (path: string): Promise<any> => (await call('GET', `${host.url}${path}`)).body.data;
      expect(await ask('/api/operator/overview')).toMatchObject({ site: 'studio' });
      expect((await ask('/api/operator/tasks')).list).toMatchObject([{ userId: 'alice', owner: 'alice@studio' }]);
      expect((await ask('/ops/titles')).titles).toHaveLength(1);
    },
  },
  {
    option: 'status',
    options: { status: VIDEO_STATUS },
    proof: async (host) => {
      const draft = await host.user('alice', 'POST', '/api/tasks', { json: { input: 'in' } });
      expect(draft.body.data.status).toBe(100);
      const path = `/api/tasks/${draft.body.data.taskId}`;
      expect((await host.user('alice', 'PUT', path, { json: { status: 10 } })).body.data.code).toBe(14004);
      expect((await host.user('alice', 'PUT', path, { json: { status: 110 } })).body.data.status).toBe(110);
      const { task } = (await host.worker('GET', '/api/crontask')).body.data;
      expect(task.status).toBe(120);
      const report = (status: number) => host.worker('PUT', `/api/crontask/${task.taskId}`, { json: { status } });
      expect((await report(125)).body.data.task.status).toBe(125);
      expect((await report(30)).body.data.code).toBe(14004);
      expect((await report(130)).body.data.task).toMatchObject({ status: 130, progress: 100 });
    },
  },
  {
    option: 'error',
    options: { error: VIDEO_ERRORS },
    proof: async (host) => {
      const gone = await host.user('alice', 'GET', '/api/tasks/nothing');
      expect([gone.status, gone.headers.get('x-gone')]).toEqual([410, 'yes']);
      expect(gone.body).toEqual({ status: 0, data: { code: 1, msg: 'no such video' } });
    },
  },
  {
    option: 'response',
    options: { response: VideoResponse },
    proof: async (host) => {
      expect((await host.user('alice', 'GET', '/api/tasks')).body).toEqual({
        ok: true,
        result: { list: [], nextCursor: null },
      });
      expect((await host.worker('GET', '/api/crontask')).body).toEqual({ ok: true, result: [] });
      const gone = await host.user('alice', 'GET', '/api/tasks/nothing');
      expect(gone.body).toEqual({ ok: false, error: { code: 14001, msg: 'not found' } });
    },
  },
  {
    option: 'URIs',
    options: { ...VIDEO_URIS, schedules: true },
    proof: async (host) => {
      const { taskId } = (await host.user('alice', 'POST', '/api/videos/new', { json })).body.data;
      expect((await host.user('alice', 'GET', `/api/videos/${taskId}`)).body.data.taskId).toBe(taskId);
      const edited = await host.user('alice', 'POST', `/api/videos/${taskId}/edit`, {
        multipart: { _method: 'PUT', args: 'x' },
      });
      expect(edited.body.data.args).toBe('x');
      expect((await host.worker('GET', '/jobs')).body.data.task.taskId).toBe(taskId);
      expect((await host.worker('PUT', `/jobs/${taskId}/report`, { json: { status: 30 } })).status).toBe(200);
      const removed = await host.user('alice', 'DELETE', '/api/videos/old', { form: { ids: `["${taskId}"]` } });
      expect(removed.body.data.deleted).toEqual([taskId]);
      expect((await host.user('alice', 'GET', '/api/tasks')).status).toBe(404);
    },
  },
  ...[KeyGuard, new KeyGuard('open')].map((guard): Case => ({
    option: `guards (${typeof guard === 'function' ? 'a class' : 'an instance'}) and userId`,
    options: { guards: [guard], userId: EVERYTHING.userId },
    proof: async (host) => {
      const ask = (headers: Record<string, string>) => call('GET', `${host.url}/api/tasks`, { headers });
      expect((await ask({ 'x-key': 'open', 'x-owner': 'alice' })).status).toBe(200);
      expect((await ask({ 'x-key': 'open' })).body.data).toMatchObject({ code: 10001 });
      expect((await ask({ 'x-owner': 'alice' })).body.data).toMatchObject({ code: 14002 });
    },
  })),
  ...[KeyGuard, new KeyGuard('open')].map((guard): Case => ({
    option: `cronGuards (${typeof guard === 'function' ? 'a class' : 'an instance'})`,
    options: { cronGuards: [guard], workerTokens: [] },
    proof: async (host) => {
      const ask = (headers: Record<string, string>) => call('GET', `${host.url}/api/crontask`, { headers });
      expect((await ask({ 'x-key': 'open' })).body).toEqual({ status: 1, data: [] });
      expect((await ask({ 'x-key': 'shut' })).body.data.code).toBe(14002);
    },
  })),
  {
    option: 'cronGuards beside workerTokens: both must open',
    options: { cronGuards: [KeyGuard] },
    proof: async (host) => {
      const ask = (headers: Record<string, string>) => call('GET', `${host.url}/api/crontask`, { headers });
      const authorization = `Bearer ${WORKER_TOKEN}`;
      expect((await ask({ 'x-key': 'open', authorization })).status).toBe(200);
      expect((await ask({ 'x-key': 'open' })).body.data.code).toBe(10001);
      expect((await ask({ authorization })).body.data.code).toBe(14002);
    },
  },
  {
    option: 'callbackUrl',
    options: { callbackUrl: 'http://localhost:8080/done' },
    proof: async (host) => {
      await host.user('alice', 'POST', '/api/tasks', { json });
      expect((await host.worker('GET', '/api/crontask')).body.data).toMatchObject({
        task: { callbackUrl: 'http://localhost:8080/done' },
        updateUrl: 'http://localhost:8080/done',
      });
    },
  },
  {
    option: 'defaultService',
    options: { defaultService: 'transcode' },
    proof: async (host) => {
      await host.user('alice', 'POST', '/api/tasks', { json });
      const claimed = await host.worker('GET', '/api/crontask', { query: { service: 'transcode' } });
      expect(claimed.body.data.task.service).toBe('transcode');
    },
  },
];

// Each way with each adapter in `npm run test:all`.
describe.each(ADAPTERS)('one option alone, with %s', (adapter) => {
  let host: Host | undefined;
  afterEach(() => host?.close());

  describe.each(
    [
      { way: 'forRoot', register: undefined, always: adapter === 'express' },
      { way: 'forRootAsync', register: forRootAsync, always: adapter === 'fastify' },
    ].filter(({ always }) => WHOLE || always),
  )('by $way', ({ register }) => {
    it.each(CASES)('$option', async ({ options, typeorm, proof }) => {
      host = await startHost({ engine: 'sqlite', adapter, options, register, typeorm });
      await proof(host);
    });
  });
});
