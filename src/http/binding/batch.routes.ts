import { RequestMethod } from '@nestjs/common';
import { AddToBatchDto, BatchChangeDto, CreateBatchDto, ListBatchesDto } from '../dto/batch.dto.js';
import { BODY, CHANGE, INPUT, type RouteDefinition } from './route-definition.js';

const { GET, POST, PUT } = RequestMethod;
const BATCH = { audience: 'batch', uri: 'batchUri', cacheControl: 'no-cache' } as const;

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
    headers: ['Idempotency-Key'],
    answer: 'createdBatch',
    errors: [...BODY, 'TOO_MANY_TASK', 'IDEMPOTENCY_CONFLICT'],
  },
  {
    ...BATCH,
    method: GET,
    handler: 'list',
    operationId: 'listBatches',
    input: ListBatchesDto,
    answer: 'batches',
    errors: INPUT,
    readsOnly: true,
  },
  {
    ...BATCH,
    method: GET,
    subPath: '/{batchId}',
    handler: 'get',
    operationId: 'getBatch',
    answer: 'batch',
    errors: ['NOT_FOUND'],
    readsOnly: true,
  },
  {
    ...BATCH,
    method: PUT,
    subPath: '/{batchId}',
    handler: 'change',
    operationId: 'changeBatch',
    input: BatchChangeDto,
    answer: 'batch',
    errors: CHANGE,
  },
  {
    ...BATCH,
    method: POST,
    subPath: '/{batchId}/tasks',
    handler: 'add',
    operationId: 'addToBatch',
    input: AddToBatchDto,
    needsBody: true,
    holdsTask: true,
    answer: 'createdBatch',
    errors: [...CHANGE, 'TOO_MANY_TASK'],
  },
];
