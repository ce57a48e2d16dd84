import { RequestMethod } from '@nestjs/common';
import { ListBulksDto } from '../dto/bulk.dto.js';
import { CallbackFilterDto, CallbackListDto } from '../dto/callback-list.dto.js';
import { OperatorListDto } from '../dto/operator-list.dto.js';
import { OperatorUpdateDto } from '../dto/operator-update.dto.js';
import { RemoveTasksDto } from '../dto/remove-tasks.dto.js';
import { StatsDto } from '../dto/stats.dto.js';
import { ServiceDto } from '../dto/service.dto.js';
import { CHANGE_BATCH, LIST_BATCH_LAYERS, LIST_BATCH_TASKS, LIST_BATCHES, SHOW_BATCH } from './batch.routes.js';
import { BODY, byPost, CHANGE, INPUT, type RouteDefinition } from './route-definition.js';
import { OperatorListBatchesDto } from '../dto/batch.dto.js';
import { OperatorListSchedulesDto, ScheduleOwnerDto } from '../dto/schedule.dto.js';
import {
  LIST_SCHEDULES,
  PAUSE_SCHEDULE,
  REMOVE_SCHEDULE,
  RESUME_SCHEDULE,
  RUN_SCHEDULE,
  SHOW_SCHEDULE,
} from './schedule.routes.js';
import { BULK, CHANGE_BULK, SHOW_BULK } from './user.routes.js';

const { GET, POST, PUT, DELETE } = RequestMethod;
const OPERATOR = { audience: 'operator', uri: 'operatorUri', cacheControl: 'no-cache' } as const;

const SEARCH: RouteDefinition = {
  ...OPERATOR,
  method: GET,
  subPath: '/tasks',
  handler: 'list',
  operationId: 'operatorListTasks',
  input: OperatorListDto,
  answer: 'operatorList',
  errors: [...INPUT, 'TOO_MANY_REQUESTS'],
  readsOnly: true,
};

/** The same route for operators, who name the owner, too. */
const ofOwner = (route: RouteDefinition, own: Partial<RouteDefinition> & { operationId: string }): RouteDefinition => ({
  ...route,
  ...OPERATOR,
  subPath: `/schedules${route.subPath ?? ''}`,
  handler: `${route.handler}Schedule`,
  input: ScheduleOwnerDto,
  errors: [...route.errors, ...(route.method === GET ? INPUT : BODY)],
  ...own,
});

const SCHEDULES: readonly RouteDefinition[] = [
  ofOwner(LIST_SCHEDULES, {
    operationId: 'operatorListSchedules',
    handler: 'schedules',
    input: OperatorListSchedulesDto,
    answer: 'operatorSchedules',
  }),
  ofOwner(SHOW_SCHEDULE, { operationId: 'operatorGetSchedule', handler: 'schedule', answer: 'operatorSchedule' }),
  ofOwner(REMOVE_SCHEDULE, { operationId: 'operatorRemoveSchedule' }),
  ofOwner(PAUSE_SCHEDULE, { operationId: 'operatorPauseSchedule', needsBody: true, answer: 'operatorSchedule' }),
  ofOwner(RESUME_SCHEDULE, { operationId: 'operatorResumeSchedule', needsBody: true, answer: 'operatorSchedule' }),
  ofOwner(RUN_SCHEDULE, { operationId: 'operatorRunSchedule', needsBody: true, answer: 'operatorTask' }),
];

/** The same route for operators: the id of a batch needs no owner beside it. */
const ofAnyOwner = (route: RouteDefinition, own: Partial<RouteDefinition>): RouteDefinition => ({
  ...route,
  ...OPERATOR,
  subPath: `/batches${route.subPath ?? ''}`,
  operationId: `operator${route.operationId[0]!.toUpperCase()}${route.operationId.slice(1)}`,
  ...own,
});

const BATCHES: readonly RouteDefinition[] = [
  ofAnyOwner(LIST_BATCHES, { handler: 'batches', input: OperatorListBatchesDto, answer: 'operatorBatches' }),
  ofAnyOwner(SHOW_BATCH, { handler: 'batch', answer: 'operatorBatch' }),
  ofAnyOwner(CHANGE_BATCH, { handler: 'changeBatch', answer: 'operatorBatch' }),
  ofAnyOwner(LIST_BATCH_TASKS, { handler: 'batchTasks' }),
  ofAnyOwner(LIST_BATCH_LAYERS, { handler: 'batchLayers' }),
];

const ROUTES: readonly RouteDefinition[] = [
  {
    ...OPERATOR,
    method: GET,
    subPath: '/overview',
    handler: 'overview',
    operationId: 'operatorOverview',
    answer: 'overview',
    errors: [],
    readsOnly: true,
  },
  {
    ...OPERATOR,
    method: GET,
    subPath: '/stats',
    handler: 'stats',
    operationId: 'operatorStats',
    input: StatsDto,
    answer: 'stats',
    errors: INPUT,
    readsOnly: true,
  },
  {
    ...OPERATOR,
    method: GET,
    subPath: '/metrics',
    handler: 'metrics',
    operationId: 'operatorMetrics',
    answer: 'metrics',
    errors: [],
    readsOnly: true,
  },
  SEARCH,
  { ...byPost(SEARCH), subPath: '/tasks/list', errors: BODY },
  {
    ...OPERATOR,
    method: GET,
    subPath: '/tasks/{taskId}',
    handler: 'get',
    operationId: 'operatorGetTask',
    answer: 'operatorTaskDetail',
    errors: ['NOT_FOUND', 'TOO_MANY_REQUESTS'],
    readsOnly: true,
  },
  {
    ...OPERATOR,
    method: PUT,
    subPath: '/tasks/{taskId}',
    handler: 'update',
    operationId: 'operatorUpdateTask',
    input: OperatorUpdateDto,
    answer: 'operatorTask',
    errors: [...CHANGE, 'TOO_MANY_TASK'],
  },
  {
    ...OPERATOR,
    method: DELETE,
    subPath: '/tasks',
    handler: 'remove',
    operationId: 'operatorRemoveTasks',
    input: RemoveTasksDto,
    answer: 'removal',
    errors: BODY,
  },
  { ...BULK, ...OPERATOR, subPath: '/bulk', operationId: 'operatorChangeTasks' },
  {
    ...OPERATOR,
    method: GET,
    subPath: '/bulk',
    handler: 'bulks',
    operationId: 'operatorListBulks',
    input: ListBulksDto,
    answer: 'bulks',
    errors: INPUT,
    readsOnly: true,
  },
  { ...SHOW_BULK, ...OPERATOR, subPath: '/bulk/{bulkId}', operationId: 'operatorGetBulk' },
  { ...CHANGE_BULK, ...OPERATOR, subPath: '/bulk/{bulkId}', operationId: 'operatorChangeBulk' },
  {
    ...OPERATOR,
    method: GET,
    subPath: '/services',
    handler: 'services',
    operationId: 'operatorListServices',
    answer: 'services',
    errors: [],
    readsOnly: true,
  },
  {
    ...OPERATOR,
    method: PUT,
    subPath: '/services/{service}',
    handler: 'setService',
    operationId: 'operatorSetService',
    input: ServiceDto,
    answer: 'service',
    errors: BODY,
  },
  ...SCHEDULES,
  ...BATCHES,
  {
    ...OPERATOR,
    method: GET,
    subPath: '/callbacks',
    handler: 'callbacks',
    operationId: 'operatorListCallbacks',
    input: CallbackListDto,
    answer: 'callbacks',
    errors: INPUT,
    readsOnly: true,
  },
  {
    ...OPERATOR,
    method: POST,
    subPath: '/callbacks/{id}/replay',
    handler: 'replayCallback',
    operationId: 'operatorReplayCallback',
    answer: 'callback',
    errors: ['NOT_FOUND'],
  },
  {
    ...OPERATOR,
    method: POST,
    subPath: '/callbacks/replay',
    handler: 'replayCallbacks',
    operationId: 'operatorReplayCallbacks',
    input: CallbackFilterDto,
    answer: 'replayed',
    errors: BODY,
  },
  {
    ...OPERATOR,
    method: GET,
    subPath: '/workers',
    handler: 'workers',
    operationId: 'operatorListWorkers',
    answer: 'workers',
    errors: [],
    readsOnly: true,
  },
];

/** The routes for operators. INVALID_ACCESS: the operator may only read. */
export const OPERATOR_ROUTES: readonly RouteDefinition[] = ROUTES.map((route) => ({
  ...route,
  refusesUnknown: route.readsOnly !== true,
  errors: [...route.errors, 'INVALID_ACCESS'],
}));
