import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { itInWhole } from '../../support/host.js';
import { generateTypes } from '../../support/generated-types.js';
import { typeErrors } from '../../support/type-errors.js';
import { standaloneApp } from '../http/openapi/fixtures/hosts.js';

const root = resolve(import.meta.dirname, '../../..');

/** The hand-written types against the generated ones: the same properties, as optional, of the same types. */
const EQUAL = `
  import type { components, operations } from './generated.js';
  import type * as client from '@softdd/task/client';
  type Schemas = components['schemas'];
  // Which integers a status may be is the server's to say.
  type Plain<T> = T extends number ? number
    : T extends readonly (infer Item)[] ? Plain<Item>[]
    : T extends object ? { [Name in keyof T]: Plain<T[Name]> }
    : T;
  type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
  type Equal<A, B> = Same<Plain<A>, Plain<B>>;
  type Data<Id extends keyof operations> = operations[Id] extends
    { responses: { 200: { content: { 'application/json': { data: infer D } } } } } ? D : never;
  type Listed<Id extends keyof operations> = Extract<Data<Id>, { list: unknown }>;
  type Method = { [Name in keyof client.TaskClient]:
    client.TaskClient[Name] extends (...given: never[]) => unknown ? Name : never }[keyof client.TaskClient];
  type Answer<Name extends Method> = Awaited<ReturnType<client.TaskClient[Name]>>;
  type Of<Name extends keyof client.ScheduleClient> = Awaited<ReturnType<client.ScheduleClient[Name]>>;
  type Query = NonNullable<operations['listTasks']['parameters']['query']>;
  type Claimed = NonNullable<operations['claimTask']['parameters']['query']>;
  export const checks: Record<string, true> = {
    task: true satisfies Equal<client.Task, Schemas['task']>,
    workerTask: true satisfies Equal<client.WorkerTask, Schemas['workerTask']>,
    cronTask: true satisfies Equal<client.ReportedTask, Schemas['cronTask']>,
    claimedTask: true satisfies Equal<client.ClaimedTask, Schemas['claimedTask']>,
    createTask: true satisfies Equal<client.NewTask, Schemas['createTask']>,
    updateTask: true satisfies Equal<client.TaskChanges, Schemas['updateTask']>,
    reportTask: true satisfies Equal<client.Report, Schemas['reportTask']>,
    reportOneTask: true satisfies Equal<client.TaskReport, Schemas['reportOneTask']>,
    claimTask: true satisfies Equal<client.ClaimQuery, Schemas['claimTask']>,
    claimQuery: true satisfies Equal<client.ClaimQuery, Claimed>,
    listQuery: true satisfies Equal<Omit<client.ListQuery, 'ids'>, Omit<Query, 'ids'>>,
    page: true satisfies Equal<client.TaskPage, Data<'listTasks'>>,
    removal: true satisfies Equal<client.Removal, Data<'removeTasks'>>,
    got: true satisfies Equal<Answer<'get'>, Data<'getTask'>>,
    updated: true satisfies Equal<Answer<'update'>, Data<'updateTask'>>,
    reported: true satisfies Equal<Answer<'report'>, Data<'reportTask'>>,
    created: true satisfies Equal<{ list: Answer<'createMany'> }, Listed<'createTask'>>,
    claimed: true satisfies Equal<{ list: Answer<'claim'> }, Listed<'claimTask'>>,
    claimedByPost: true satisfies Equal<{ list: Answer<'claim'> }, Listed<'claimTaskByPost'>>,
    schedule: true satisfies Equal<client.Schedule, Data<'getSchedule'>>,
    scheduleSettings: true satisfies Equal<client.ScheduleSettings, Schemas['scheduleSettings']>,
    scheduledTask: true satisfies Equal<client.ScheduledTask, Schemas['scheduledTask']>,
    setSchedule: true satisfies Equal<Of<'put'>, Data<'setSchedule'>>,
    schedules: true satisfies Equal<Of<'list'>, Data<'listSchedules'>>,
    schedulePaused: true satisfies Equal<Of<'pause'>, Data<'pauseSchedule'>>,
    scheduleRun: true satisfies Equal<Of<'run'>, Data<'runSchedule'>>,
    scheduleRemoved: true satisfies Equal<Of<'remove'>, Data<'removeSchedule'>>,
    batch: true satisfies Equal<client.Batch, Data<'getBatch'>>,
    createdBatch: true satisfies Equal<client.CreatedBatch, Data<'createBatch'>>,
    addedToBatch: true satisfies Equal<client.CreatedBatch, Data<'addToBatch'>>,
    batches: true satisfies Equal<client.BatchPage, Data<'listBatches'>>,
    batchTasks: true satisfies Equal<client.BatchMemberPage, Data<'listBatchTasks'>>,
    batchLayers: true satisfies Equal<client.BatchLayerPage, Data<'listBatchLayers'>>,
    batchTask: true satisfies Equal<client.BatchTask, Schemas['batchTask']>,
    thenTask: true satisfies Equal<client.ThenTask, Schemas['thenTask']>,
    // The document says no more of these answers: once it does, they are to be compared.
    reportedMany: true satisfies Equal<{ list: { [name: string]: unknown }[] }, Data<'reportTasks'>>,
  };
  // The metrics are for Prometheus. Those of bulk changes, schedules and batches are methods of clients of their own. Each other one for operators has its method of \`client.operator\`.
  type Operators = Exclude<keyof client.OperatorClient, 'bulks' | 'schedules' | 'batches'>;
  type Said<Name extends Operators> = Awaited<ReturnType<client.OperatorClient[Name]>>;
  type OfAll<Name extends keyof client.OperatorScheduleClient> = Awaited<ReturnType<client.OperatorScheduleClient[Name]>>;
  type OfBatches<Name extends keyof client.OperatorBatchClient> = Awaited<ReturnType<client.OperatorBatchClient[Name]>>;
  export const operators: Record<string, true> = {
    batches: true satisfies Equal<OfBatches<'list'>, Data<'operatorListBatches'>>,
    batch: true satisfies Equal<OfBatches<'get'>, Data<'operatorGetBatch'>>,
    batchChanged: true satisfies Equal<OfBatches<'cancel'>, Data<'operatorChangeBatch'>>,
    batchTasks: true satisfies Equal<OfBatches<'tasks'>, Data<'operatorListBatchTasks'>>,
    batchLayers: true satisfies Equal<OfBatches<'layers'>, Data<'operatorListBatchLayers'>>,
    schedules: true satisfies Equal<OfAll<'list'>, Data<'operatorListSchedules'>>,
    schedule: true satisfies Equal<OfAll<'get'>, Data<'operatorGetSchedule'>>,
    scheduleRun: true satisfies Equal<OfAll<'run'>, Data<'operatorRunSchedule'>>,
    overview: true satisfies Equal<Said<'overview'>, Data<'operatorOverview'>>,
    stats: true satisfies Equal<Said<'stats'>, Data<'operatorStats'>>,
    list: true satisfies Equal<Said<'list'>, Data<'operatorListTasks'>>,
    task: true satisfies Equal<Said<'task'>['task'], Data<'operatorGetTask'>['task']>,
    attempts: true satisfies Equal<Said<'task'>['attempts'], Data<'operatorGetTask'>['attempts']>,
    update: true satisfies Equal<Said<'update'>, Data<'operatorUpdateTask'>>,
    changes: true satisfies Equal<client.OperatorTaskChanges, Schemas['operatorUpdateTask']>,
    remove: true satisfies Equal<Said<'remove'>, Data<'operatorRemoveTasks'>>,
    bulks: true satisfies Equal<Said<'listBulks'>, Data<'operatorListBulks'>>,
    bulk: true satisfies Equal<client.Bulk, Data<'operatorGetBulk'>>,
    ownBulk: true satisfies Equal<client.Bulk, Data<'getBulk'>>,
    services: true satisfies Equal<{ list: Said<'services'> }, Data<'operatorListServices'>>,
    workers: true satisfies Equal<{ list: Said<'workers'> }, Data<'operatorListWorkers'>>,
    replayed: true satisfies Equal<Said<'replayCallbacks'>, Data<'operatorReplayCallbacks'>>,
  };
  const OPERATIONS = {
    operatorOverview: 'overview', operatorStats: 'stats', operatorListTasks: 'list', operatorGetTask: 'task',
    operatorUpdateTask: 'update', operatorRemoveTasks: 'remove', operatorListBulks: 'listBulks',
    operatorListServices: 'services', operatorSetService: 'setService', operatorListCallbacks: 'callbacks',
    operatorReplayCallback: 'replayCallback', operatorReplayCallbacks: 'replayCallbacks',
    operatorListWorkers: 'workers',
  } as const satisfies Record<
    Exclude<Extract<keyof operations, \`operator\${string}\`>,
      \`\${string}ByPost\` | \`operator\${string}Schedule\${'' | 's'}\` | \`operator\${string}Batch\${string}\` | 'operatorMetrics' | 'operatorChangeTasks' | 'operatorGetBulk' | 'operatorChangeBulk'>, Operators>;
  export const operations_: true = true satisfies Same<
    (typeof OPERATIONS)[keyof typeof OPERATIONS], Operators>;
  // Each other operation has its method. Those of health are the orchestrator's; a twin by POST is for who can't PUT.
  const METHODS = {
    listTasks: 'list', createTask: 'create', removeTasks: 'remove', getTask: 'get', updateTask: 'update',
    claimTask: 'claim', reportTask: 'report', reportTasks: 'reportMany', watchTasks: 'watch',
  } as const satisfies Record<Exclude<keyof operations, 'live' | 'ready' | \`\${string}ByPost\` | \`operator\${string}\`
    | \`\${string}Schedule\${'' | 's'}\` | \`\${string}Batch\${string}\` | 'changeTasks' | 'getBulk' | 'changeBulk'>, Method>;
  export const methods: true = true satisfies Same<
    (typeof METHODS)[keyof typeof METHODS] | 'createMany' | 'batch' | 'markReady' | 'cancel' | 'release' | 'waitFor', Method>;`;

describe('the types of the client', () => {
  let generated: string;
  beforeAll(async () => {
    const app = await standaloneApp();
    const builder = new DocumentBuilder()
      .addBearerAuth({ type: 'http' }, 'user')
      .addBearerAuth({ type: 'http' }, 'worker')
      .addBearerAuth({ type: 'http' }, 'operator');
    const document = SwaggerModule.createDocument(app, builder.build());
    await app.close();
    generated = await generateTypes(document);
  });

  const errors = (checks: string): string[] =>
    typeErrors(
      new Map([
        [join(root, 'test/unit/client/equal.ts'), checks],
        [join(root, 'test/unit/client/generated.ts'), generated],
      ]),
    );

  it('are those of the OpenAPI document', () => {
    expect(errors(EQUAL)).toEqual([]);
  });

  // Each is a program of its own to the compiler: in `npm run test:all`.
  itInWhole.each([
    ["client.Task, Schemas['task']", "Omit<client.Task, 'temp'>, Schemas['task']"],
    ["client.NewTask, Schemas['createTask']", "Required<client.NewTask>, Schemas['createTask']"],
    ["client.Report, Schemas['reportTask']", "client.Report & { more?: 1 }, Schemas['reportTask']"],
    ["{ list: Answer<'claim'> }, Listed<'claimTask'>", "{ list: client.ReportedTask[] }, Listed<'claimTask'>"],
    ["reportTasks: 'reportMany',", ''],
    [" | 'waitFor'", ''],
  ])('would not be, if they differed: %s', (right, wrong) => {
    expect(EQUAL).toContain(right);
    expect(errors(EQUAL.replace(right, wrong))).not.toEqual([]);
  });
});
