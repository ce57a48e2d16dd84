import { RequestMethod } from '@nestjs/common';
import { BulkChangeDto, BulkDto } from '../dto/bulk.dto.js';
import { CreateTaskDto } from '../dto/create-task.dto.js';
import { ListTasksDto } from '../dto/list-tasks.dto.js';
import { RemoveTasksDto } from '../dto/remove-tasks.dto.js';
import { UpdateTaskDto } from '../dto/update-task.dto.js';
import { WatchTasksDto } from '../dto/watch-tasks.dto.js';
import { BODY, byPost, CHANGE, INPUT, type RouteDefinition } from './route-definition.js';

const { GET, POST, PUT, DELETE } = RequestMethod;
const USER = { audience: 'user', cacheControl: 'no-cache' } as const;

const CREATE: RouteDefinition = {
  ...USER,
  method: POST,
  uri: 'postTaskUri',
  handler: 'create',
  operationId: 'createTask',
  input: CreateTaskDto,
  needsBody: true,
  headers: ['Idempotency-Key', 'traceparent'],
  answer: 'created',
  errors: [...BODY, 'NOT_FOUND', 'TOO_MANY_TASK', 'IDEMPOTENCY_CONFLICT'],
  hasCallback: true,
  listHandler: 'createMany',
  override: { verb: 'DELETE', handler: 'remove' },
};

const LIST: RouteDefinition = {
  ...USER,
  method: GET,
  uri: 'getTaskListUri',
  handler: 'list',
  operationId: 'listTasks',
  input: ListTasksDto,
  answer: 'list',
  errors: [...INPUT, 'TOO_MANY_REQUESTS'],
  readsOnly: true,
};

const WATCH: RouteDefinition = {
  ...USER,
  method: GET,
  uri: 'getTaskEventsUri',
  handler: 'watch',
  operationId: 'watchTasks',
  input: WatchTasksDto,
  headers: ['Last-Event-ID'],
  answer: 'events',
  errors: [...INPUT, 'TOO_MANY_REQUESTS'],
  // A proxy that compresses holds events back.
  cacheControl: 'no-cache, no-transform',
  readsOnly: true,
};

const REMOVE: RouteDefinition = {
  ...USER,
  method: DELETE,
  uri: 'deleteTaskUri',
  handler: 'remove',
  operationId: 'removeTasks',
  input: RemoveTasksDto,
  answer: 'removal',
  errors: BODY,
};

const SHOW: RouteDefinition = {
  ...USER,
  method: GET,
  uri: 'getTaskUri',
  handler: 'get',
  operationId: 'getTask',
  answer: 'task',
  errors: ['NOT_FOUND', 'INVALID_ACCESS', 'TOO_MANY_REQUESTS'],
  readsOnly: true,
};

const UPDATE: RouteDefinition = {
  ...USER,
  method: PUT,
  uri: 'putTaskUri',
  handler: 'update',
  operationId: 'updateTask',
  input: UpdateTaskDto,
  answer: 'task',
  errors: [...CHANGE, 'TOO_MANY_TASK'],
};

export const BULK: RouteDefinition = {
  ...USER,
  method: POST,
  uri: 'getTaskListUri',
  subPath: '/bulk',
  handler: 'bulk',
  operationId: 'changeTasks',
  input: BulkDto,
  refusesUnknown: true,
  needsBody: true,
  answer: 'bulkOrCount',
  errors: BODY,
};

export const SHOW_BULK: RouteDefinition = {
  ...USER,
  method: GET,
  uri: 'getTaskListUri',
  subPath: '/bulk/{bulkId}',
  handler: 'getBulk',
  operationId: 'getBulk',
  answer: 'bulk',
  errors: ['NOT_FOUND'],
  readsOnly: true,
};

export const CHANGE_BULK: RouteDefinition = {
  ...SHOW_BULK,
  method: PUT,
  handler: 'changeBulk',
  operationId: 'changeBulk',
  input: BulkChangeDto,
  refusesUnknown: true,
  errors: [...BODY, 'NOT_FOUND'],
  readsOnly: false,
};

/** The routes for users. */
export const USER_ROUTES: readonly RouteDefinition[] = [
  CREATE,
  LIST,
  // 1,000 ids do not fit in a URL.
  { ...byPost(LIST), uri: 'postTaskListUri', errors: BODY },
  WATCH,
  REMOVE,
  SHOW,
  UPDATE,
  byPost(UPDATE),
  BULK,
  SHOW_BULK,
  CHANGE_BULK,
];
