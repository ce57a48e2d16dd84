import { RequestMethod } from '@nestjs/common';
import { ListSchedulesDto, ScheduleDto } from '../dto/schedule.dto.js';
import { BODY, INPUT, type RouteDefinition } from './route-definition.js';

const { GET, POST, PUT, DELETE } = RequestMethod;
const SCHEDULE = { audience: 'schedule', uri: 'scheduleUri', cacheControl: 'no-cache' } as const;

const SET: RouteDefinition = {
  ...SCHEDULE,
  method: PUT,
  subPath: '/{key}',
  handler: 'set',
  operationId: 'setSchedule',
  input: ScheduleDto,
  needsBody: true,
  holdsTask: true,
  examples: { key: 'nightly' },
  refusesUnknown: true,
  answer: 'schedule',
  errors: [...BODY, 'TOO_MANY_TASK'],
};

export const LIST_SCHEDULES: RouteDefinition = {
  ...SCHEDULE,
  method: GET,
  handler: 'list',
  operationId: 'listSchedules',
  input: ListSchedulesDto,
  answer: 'schedules',
  errors: INPUT,
  readsOnly: true,
};

export const SHOW_SCHEDULE: RouteDefinition = {
  ...SCHEDULE,
  method: GET,
  subPath: '/{key}',
  handler: 'get',
  operationId: 'getSchedule',
  answer: 'schedule',
  errors: ['INVALID_PARAM', 'NOT_FOUND'],
  readsOnly: true,
};

export const REMOVE_SCHEDULE: RouteDefinition = {
  ...SCHEDULE,
  method: DELETE,
  subPath: '/{key}',
  handler: 'remove',
  operationId: 'removeSchedule',
  answer: 'scheduleRemoved',
  errors: ['INVALID_PARAM', 'NOT_FOUND'],
};

export const PAUSE_SCHEDULE: RouteDefinition = {
  ...SCHEDULE,
  method: POST,
  subPath: '/{key}/pause',
  handler: 'pause',
  operationId: 'pauseSchedule',
  answer: 'schedule',
  errors: ['INVALID_PARAM', 'NOT_FOUND'],
};

export const RESUME_SCHEDULE: RouteDefinition = {
  ...PAUSE_SCHEDULE,
  subPath: '/{key}/resume',
  handler: 'resume',
  operationId: 'resumeSchedule',
};

export const RUN_SCHEDULE: RouteDefinition = {
  ...PAUSE_SCHEDULE,
  subPath: '/{key}/run',
  handler: 'run',
  operationId: 'runSchedule',
  answer: 'task',
  errors: ['INVALID_PARAM', 'NOT_FOUND', 'TOO_MANY_TASK'],
};

/** The routes for the schedules of users. */
export const SCHEDULE_ROUTES: readonly RouteDefinition[] = [
  SET,
  LIST_SCHEDULES,
  SHOW_SCHEDULE,
  REMOVE_SCHEDULE,
  PAUSE_SCHEDULE,
  RESUME_SCHEDULE,
  RUN_SCHEDULE,
];
