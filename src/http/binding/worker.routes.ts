import { RequestMethod } from '@nestjs/common';
import { ClaimTaskDto } from '../dto/claim-task.dto.js';
import { ReportTaskDto } from '../dto/report-task.dto.js';
import { ReportTasksDto } from '../dto/report-tasks.dto.js';
import { BODY, byPost, CHANGE, INPUT, type RouteDefinition } from './route-definition.js';

const { GET, PUT } = RequestMethod;
const WORKER = { audience: 'worker', cacheControl: 'no-cache' } as const;

const CLAIM: RouteDefinition = {
  ...WORKER,
  method: GET,
  uri: 'getCronTaskUri',
  handler: 'claim',
  operationId: 'claimTask',
  input: ClaimTaskDto,
  headers: ['Idempotency-Key', 'Authorization'],
  answer: 'claim',
  errors: [...INPUT, 'TOO_MANY_REQUESTS'],
  // A worker that gets the stored answer of another claim would work on a task that it does not hold.
  cacheControl: 'no-cache, no-store',
};

const REPORT_MANY: RouteDefinition = {
  ...WORKER,
  method: PUT,
  uri: 'getCronTaskUri',
  handler: 'reportMany',
  operationId: 'reportTasks',
  input: ReportTasksDto,
  needsBody: true,
  answer: 'reported',
  errors: BODY,
};

const REPORT: RouteDefinition = {
  ...WORKER,
  method: PUT,
  uri: 'putCronTaskUri',
  handler: 'report',
  operationId: 'reportTask',
  input: ReportTaskDto,
  headers: ['Lease-Token'],
  answer: 'cronTask',
  errors: [...CHANGE, 'LEASE_LOST'],
};

/** The routes for workers. */
export const WORKER_ROUTES: readonly RouteDefinition[] = [
  CLAIM,
  { ...byPost(CLAIM), errors: BODY },
  REPORT_MANY,
  REPORT,
  byPost(REPORT),
];
