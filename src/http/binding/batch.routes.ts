import { RequestMethod } from '@nestjs/common';
import {
  AddToBatchDto,
  BatchChangeDto,
  CreateBatchDto,
  ListBatchesDto,
  ListBatchLayersDto,
  ListBatchTasksDto,
} from '../dto/batch.dto.js';
import { BODY, CHANGE, INPUT, type RouteDefinition } from './route-definition.js';

const { GET, POST, PUT } = RequestMethod;
const BATCH = { audience: 'batch', uri: 'batchUri', cacheControl: 'no-cache' } as const;

export const LIST_BATCHES: RouteDefinition = {
  ...BATCH,
  method: GET,
  handler: 'list',
  operationId: 'listBatches',
  input: ListBatchesDto,
  answer: 'batches',
  errors: INPUT,
  readsOnly: true,
};

export const SHOW_BATCH: RouteDefinition = {
  ...BATCH,
  method: GET,
  subPath: '/{batchId}',
  handler: 'get',
  operationId: 'getBatch',
  answer: 'batch',
  errors: ['NOT_FOUND'],
  readsOnly: true,
};

export const CHANGE_BATCH: RouteDefinition = {
  ...BATCH,
  method: PUT,
  subPath: '/{batchId}',
  handler: 'change',
  operationId: 'changeBatch',
  input: BatchChangeDto,
  refusesUnknown: true,
  answer: 'batch',
  errors: CHANGE,
};

export const LIST_BATCH_TASKS: RouteDefinition = {
  ...BATCH,
  method: GET,
  subPath: '/{batchId}/tasks',
  handler: 'listTasks',
  operationId: 'listBatchTasks',
  input: ListBatchTasksDto,
  answer: 'batchTasks',
  errors: [...INPUT, 'NOT_FOUND'],
  readsOnly: true,
};

export const LIST_BATCH_LAYERS: RouteDefinition = {
  ...LIST_BATCH_TASKS,
  subPath: '/{batchId}/layers',
  handler: 'listLayers',
  operationId: 'listBatchLayers',
  input: ListBatchLayersDto,
  answer: 'batchLayers',
};

/** The routes for the batches of users. */
export const BATCH_ROUTES: readonly RouteDefinition[] = [
  {
    ...BATCH,
    method: POST,
    handler: 'create',
    operationId: 'createBatch',
    input: CreateBatchDto,
    needsBody: true,
    holdsTask: true,
    refusesUnknown: true,
    headers: ['Idempotency-Key'],
    answer: 'createdBatch',
    errors: [...BODY, 'TOO_MANY_TASK', 'IDEMPOTENCY_CONFLICT'],
  },
  LIST_BATCHES,
  SHOW_BATCH,
  CHANGE_BATCH,
  LIST_BATCH_TASKS,
  LIST_BATCH_LAYERS,
  {
    ...BATCH,
    method: POST,
    subPath: '/{batchId}/tasks',
    handler: 'add',
    operationId: 'addToBatch',
    input: AddToBatchDto,
    needsBody: true,
    holdsTask: true,
    refusesUnknown: true,
    answer: 'createdBatch',
    errors: [...CHANGE, 'TOO_MANY_TASK'],
  },
];
