import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { TASK_STATUS } from '../../../../src/index.js';
import { buildDocument } from '../../../../src/server/docs.js';
import { VIDEO_STATUS } from '../../../support/swapped.js';
import { exampleOf, type Operation, operationsOf, type Schema, schemasOf } from './fixtures/document.js';
import { hostOfTwo, standaloneApp, swappedHost } from './fixtures/hosts.js';
import { BATCH_EXAMPLES, batches, operatorBatches } from './fixtures/batch-operations.js';

interface Running {
  app: INestApplication;
  close(): Promise<void>;
}

const standalone = async (): Promise<Running> => {
  const app = await standaloneApp();
  return { app, close: () => app.close() };
};

const TASKS = {
  createTask: ['POST /api/tasks', 'tasks', 'user'],
  listTasks: ['GET /api/tasks', 'tasks', 'user'],
  listTasksByPost: ['POST /api/tasks/list', 'tasks', 'user'],
  watchTasks: ['GET /api/tasks/events', 'tasks', 'user'],
  removeTasks: ['DELETE /api/tasks', 'tasks', 'user'],
  getTask: ['GET /api/tasks/{taskId}', 'tasks', 'user'],
  updateTask: ['PUT /api/tasks/{taskId}', 'tasks', 'user'],
  updateTaskByPost: ['POST /api/tasks/{taskId}', 'tasks', 'user'],
  claimTask: ['GET /api/crontask', 'crontask', 'worker'],
  claimTaskByPost: ['POST /api/crontask', 'crontask', 'worker'],
  reportTasks: ['PUT /api/crontask', 'crontask', 'worker'],
  reportTask: ['PUT /api/crontask/{taskId}', 'crontask', 'worker'],
  reportTaskByPost: ['POST /api/crontask/{taskId}', 'crontask', 'worker'],
};
/** The operations of operators and of bulk changes, as their options are by default or moved. */
const operators = (suffix: string, tasks: string, operator: string) => {
  const [user, tag] = [`tasks${suffix}`, `operator${suffix}`];
  const of = (route: string) => [route.replace(' ', ` ${operator}`), tag, 'operator'];
  return {
    [`changeTasks${suffix}`]: [`POST ${tasks}/bulk`, user, 'user'],
    [`getBulk${suffix}`]: [`GET ${tasks}/bulk/{bulkId}`, user, 'user'],
    [`changeBulk${suffix}`]: [`PUT ${tasks}/bulk/{bulkId}`, user, 'user'],
    [`operatorOverview${suffix}`]: of('GET /overview'),
    [`operatorStats${suffix}`]: of('GET /stats'),
    [`operatorMetrics${suffix}`]: of('GET /metrics'),
    [`operatorListTasks${suffix}`]: of('GET /tasks'),
    [`operatorListTasksByPost${suffix}`]: of('POST /tasks/list'),
    [`operatorGetTask${suffix}`]: of('GET /tasks/{taskId}'),
    [`operatorUpdateTask${suffix}`]: of('PUT /tasks/{taskId}'),
    [`operatorRemoveTasks${suffix}`]: of('DELETE /tasks'),
    [`operatorChangeTasks${suffix}`]: of('POST /bulk'),
    [`operatorListBulks${suffix}`]: of('GET /bulk'),
    [`operatorGetBulk${suffix}`]: of('GET /bulk/{bulkId}'),
    [`operatorChangeBulk${suffix}`]: of('PUT /bulk/{bulkId}'),
    [`operatorListServices${suffix}`]: of('GET /services'),
    [`operatorSetService${suffix}`]: of('PUT /services/{service}'),
    [`operatorListSchedules${suffix}`]: of('GET /schedules'),
    [`operatorGetSchedule${suffix}`]: of('GET /schedules/{key}'),
    [`operatorRemoveSchedule${suffix}`]: of('DELETE /schedules/{key}'),
    [`operatorPauseSchedule${suffix}`]: of('POST /schedules/{key}/pause'),
    [`operatorResumeSchedule${suffix}`]: of('POST /schedules/{key}/resume'),
    [`operatorRunSchedule${suffix}`]: of('POST /schedules/{key}/run'),
    ...operatorBatches(suffix, of),
    [`operatorListCallbacks${suffix}`]: of('GET /callbacks'),
    [`operatorReplayCallback${suffix}`]: of('POST /callbacks/{id}/replay'),
    [`operatorReplayCallbacks${suffix}`]: of('POST /callbacks/replay'),
    [`operatorListWorkers${suffix}`]: of('GET /workers'),
  };
};
/** The operations of users' schedules. */
const schedules = (suffix: string, path: string) => {
  const of = (route: string) => [route.replace(' ', ` ${path}`), `schedules${suffix}`, 'user'];
  return {
    [`setSchedule${suffix}`]: of('PUT /{key}'),
    [`listSchedules${suffix}`]: of('GET '),
    [`getSchedule${suffix}`]: of('GET /{key}'),
    [`removeSchedule${suffix}`]: of('DELETE /{key}'),
    [`pauseSchedule${suffix}`]: of('POST /{key}/pause'),
    [`resumeSchedule${suffix}`]: of('POST /{key}/resume'),
    [`runSchedule${suffix}`]: of('POST /{key}/run'),
  };
};
const OPERATORS = operators('', '/api/tasks', '/api/operator');
const HEALTH = { live: ['GET /health/live', 'health'], ready: ['GET /health/ready', 'health'] };
const STANDALONE: object = {
  ...TASKS,
  ...schedules('', '/api/schedules'),
  ...batches('', '/api/batches'),
  ...OPERATORS,
  ...HEALTH,
};
const videos = (suffix: string) => {
  const [tasks, crontask] = [`tasks${suffix}`, `crontask${suffix}`];
  return {
    [`createTask${suffix}`]: ['POST /api/videos/new', tasks, 'user'],
    [`listTasks${suffix}`]: ['GET /api/videos', tasks, 'user'],
    [`listTasksByPost${suffix}`]: ['POST /api/videos/list', tasks, 'user'],
    [`watchTasks${suffix}`]: ['GET /api/videos/events', tasks, 'user'],
    [`removeTasks${suffix}`]: ['DELETE /api/videos/old', tasks, 'user'],
    [`getTask${suffix}`]: ['GET /api/videos/{taskId}', tasks, 'user'],
    [`updateTask${suffix}`]: ['PUT /api/videos/{taskId}/edit', tasks, 'user'],
    [`updateTaskByPost${suffix}`]: ['POST /api/videos/{taskId}/edit', tasks, 'user'],
    [`claimTask${suffix}`]: ['GET /jobs', crontask, 'worker'],
    [`claimTaskByPost${suffix}`]: ['POST /jobs', crontask, 'worker'],
    [`reportTasks${suffix}`]: ['PUT /jobs', crontask, 'worker'],
    [`reportTask${suffix}`]: ['PUT /jobs/{taskId}/report', crontask, 'worker'],
    [`reportTaskByPost${suffix}`]: ['POST /jobs/{taskId}/report', crontask, 'worker'],
    VideoController_stats: ['GET /api/tasks/stats', tasks, 'user'],
    VideoScheduleController_count: ['GET /api/plan-count', `schedules${suffix}`, 'user'],
    ...schedules(suffix, '/api/plans'),
    ...batches(suffix, '/api/reels'),
    VideoOperatorController_titles: ['GET /ops/titles', `operator${suffix}`, 'operator'],
    ...operators(suffix, '/api/videos', '/ops'),
  };
};

describe.each([
  { name: 'the standalone server', start: standalone, operations: STANDALONE },
  { name: 'a host with everything swapped', start: () => swappedHost('express'), operations: videos('') },
  {
    name: 'a host with two registrations',
    start: () => hostOfTwo('fastify'),
    operations: { ...TASKS, ...OPERATORS, ...videos('_video') },
  },
])('the OpenAPI document of $name', ({ start, operations }) => {
  let running: Running;
  let document: OpenAPIObject;
  let ours: Operation[];
  beforeAll(async () => {
    running = await start();
    // As clients get it: through JSON.
    document = JSON.parse(JSON.stringify(buildDocument(running.app))) as OpenAPIObject;
    ours = operationsOf(document).filter(({ tags }) => !tags.includes('health'));
  });
  afterAll(() => running?.close());

  it("has nothing that Redocly's recommended rules object to", async () => {
    // The paths are the host's: its `/videos/{taskId}/edit` is also `/videos/bulk/{bulkId}` of a bulk named edit.
    const rules = { 'no-ambiguous-paths': operations === STANDALONE ? ('error' as const) : ('off' as const) };
    const config = await createConfig({ extends: ['recommended'], rules });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual(
      [],
    );
  });

  it('has every route, under a stable id, for its audience', () => {
    const found = operationsOf(document).map(({ id, method, path, tags, security }) => [
      id,
      [`${method} ${path}`, ...tags, ...security.flatMap((scheme) => Object.keys(scheme))],
    ]);
    expect(Object.fromEntries(found)).toEqual(operations);
    expect(found).toHaveLength(Object.keys(operations).length);
  });

  it('takes all three content types wherever there is a body', () => {
    for (const { id, method, requestBody } of ours) {
      const types =
        method === 'GET' || /^(operatorReplayCallback|(remove|pause|resume|run)Schedule)(_|$)/.test(id)
          ? []
          : ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
      expect([id, Object.keys(requestBody?.content ?? {})]).toEqual([id, types]);
    }
  });

  it('describes every parameter and every property', () => {
    const silent: string[] = [];
    const look = (schema: Schema, where: string): void => {
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        const said = property.$ref ?? property.oneOf ?? property.description;
        if (!said && property.type !== 'object') silent.push(`${where}.${name}`);
        look(property, `${where}.${name}`);
      }
      if (schema.items) look(schema.items, `${where}[]`);
    };
    for (const [name, schema] of Object.entries(schemasOf(document))) look(schema, name);
    for (const { id, parameters, responses } of ours) {
      silent.push(...parameters.filter(({ description }) => !description).map(({ name }) => `${id}?${name}`));
      for (const [status, { content }] of Object.entries(responses))
        look(content?.['application/json']?.schema ?? {}, `${id} ${status}`);
    }
    expect(silent).toEqual([]);
  });

  it('gives limits for everything that a client may send', () => {
    const inputs = ours.flatMap(({ id, parameters, requestBody }) => {
      const body = requestBody?.content['application/json']?.schema.$ref?.split('/').pop();
      const properties = body ? Object.entries(schemasOf(document)[body]!.properties!) : [];
      return [...parameters.map(({ name, schema }) => [name, schema] as const), ...properties].map(
        ([name, schema]) => ({ where: `${id}.${name}`, name, schema }),
      );
    });
    const unlimited = inputs.filter(
      ({ name, schema }) =>
        // A list's limit is its number of ids, which a JSON text's length doesn't say.
        name !== 'ids' &&
        // The task of a schedule, and those of a batch, have those of a create.
        !['task', 'tasks', 'then'].includes(name) &&
        [schema, ...((schema.oneOf ?? []) as (typeof schema)[])].every(
          ({ type, maxLength, maxItems, enum: values, minimum }) =>
            type !== 'boolean' &&
            // The filter of a bulk has the limits of a list.
            type !== 'object' &&
            (maxLength ?? maxItems ?? values ?? minimum) === undefined,
        ),
    );
    expect(unlimited.map(({ where }) => where)).toEqual([]);
  });

  it('has examples of what a first request needs, and of nothing else', () => {
    const examples = ours.map(({ id, parameters, requestBody }) => [
      id.replace(/_.*/, ''),
      Object.fromEntries(parameters.flatMap(({ name, schema: { example } }) => (example ? [[name, example]] : []))),
      requestBody && Object.keys(exampleOf(requestBody)),
    ]);
    const taken = {
      createTask: [{}, ['input', 'status']],
      listTasks: [{}, undefined],
      watchTasks: [{}, undefined],
      listTasksByPost: [{}, []],
      removeTasks: [{}, ['ids']],
      getTask: [{}, undefined],
      updateTask: [{}, ['status']],
      updateTaskByPost: [{}, ['status']],
      claimTask: [{ lease: 300 }, undefined],
      claimTaskByPost: [{}, ['lease']],
      reportTasks: [{}, ['reports']],
      reportTask: [{}, ['progress']],
      reportTaskByPost: [{}, ['progress']],
      VideoController: [{}, undefined],
      VideoOperatorController: [{}, undefined],
      VideoScheduleController: [{}, undefined],
      setSchedule: [{ key: 'nightly' }, ['cron', 'timeZone', 'task']],
      listSchedules: [{}, undefined],
      getSchedule: [{}, undefined],
      removeSchedule: [{}, undefined],
      pauseSchedule: [{}, undefined],
      resumeSchedule: [{}, undefined],
      runSchedule: [{}, undefined],
      ...BATCH_EXAMPLES,
      operatorListSchedules: [{}, undefined],
      operatorGetSchedule: [{ userId: 'alice' }, undefined],
      operatorRemoveSchedule: [{}, ['userId']],
      operatorPauseSchedule: [{}, ['userId']],
      operatorResumeSchedule: [{}, ['userId']],
      operatorRunSchedule: [{}, ['userId']],
      changeTasks: [{}, ['action', 'filter']],
      getBulk: [{}, undefined],
      changeBulk: [{}, ['abort']],
      operatorOverview: [{}, undefined],
      operatorStats: [{}, undefined],
      operatorMetrics: [{}, undefined],
      operatorListTasks: [{}, undefined],
      operatorListTasksByPost: [{}, []],
      operatorGetTask: [{}, undefined],
      operatorUpdateTask: [{}, ['status']],
      operatorRemoveTasks: [{}, ['ids']],
      operatorChangeTasks: [{}, ['action', 'filter']],
      operatorListBulks: [{}, undefined],
      operatorGetBulk: [{}, undefined],
      operatorChangeBulk: [{}, ['abort']],
      operatorListServices: [{}, undefined],
      operatorSetService: [{}, ['paused']],
      operatorListCallbacks: [{}, undefined],
      operatorReplayCallback: [{}, undefined],
      operatorReplayCallbacks: [{}, []],
      operatorListWorkers: [{}, undefined],
    };
    for (const [id, ...found] of examples) expect([id, ...found]).toEqual([id, ...taken[id as keyof typeof taken]]);
  });

  it('has the failures with their envelope on every operation', () => {
    for (const { id, responses } of ours)
      for (const [status, { content, description }] of Object.entries(responses))
        if (status !== '200')
          expect([id, status, description, content?.['application/json']?.schema.type]).toEqual([
            id,
            status,
            expect.stringMatching(/^[A-Z_]+: /),
            'object',
          ]);
  });
});

describe('the schemas of two registrations', () => {
  let running: Running;
  let schemas: Record<string, Schema>;
  beforeAll(async () => {
    running = await hostOfTwo('express');
    schemas = schemasOf(buildDocument(running.app));
  });
  afterAll(() => running?.close());

  it("keep each registration's columns apart", () => {
    expect(Object.keys(schemas.task!.properties!)).not.toContain('title');
    expect(Object.keys(schemas.task_video!.properties!)).toContain('title');
    expect(Object.keys(schemas.createTask!.properties!)).not.toContain('title');
    expect(Object.keys(schemas.createTask_video!.properties!)).toContain('title');
    expect(schemas.updateTask_video!.required).toBeUndefined();
  });

  it('keep the cronTask of each with its own task', () => {
    expect(schemas.cronTask!.properties!.task!.$ref).toBe('#/components/schemas/workerTask');
    expect(schemas.cronTask_video!.properties!.task!.$ref).toBe('#/components/schemas/workerTask_video');
  });

  it("name each registration's own statuses", () => {
    expect(schemas.createTask!.properties!.status!.enum).toEqual([TASK_STATUS.INIT, TASK_STATUS.BEGIN]);
    expect(schemas.createTask_video!.properties!.status!.enum).toEqual([VIDEO_STATUS.INIT, VIDEO_STATUS.BEGIN]);
    expect(schemas.reportTask_video!.properties!.status!.enum).toContain(VIDEO_STATUS.UPLOADING);
    expect(schemas.task_video!.properties!.status!.description).toContain('125 UPLOADING');
  });
});
