import { RequestMethod } from '@nestjs/common';
import type { TaskErrorName } from '../contract/errors.js';
import type { TaskUris } from '../task.options.js';

export type Audience = 'user' | 'worker';

/** What an answer that worked holds as its data. */
export type AnswerKind = 'task' | 'created' | 'list' | 'removal' | 'claim' | 'cronTask' | 'reported';

export type ParameterHeader = 'Idempotency-Key' | 'Lease-Token';

/** Everything that is said of a route, in this one place. */
export interface RouteDefinition {
  audience: Audience;
  /** Method of the controller that serves it. */
  handler: string;
  uri: keyof TaskUris;
  method: RequestMethod;
  operationId: string;
  answer: AnswerKind;
  /** Failures of its own; those of every route apart. */
  errors: readonly TaskErrorName[];
  /** Method of the controller that serves a body which is a list. */
  listHandler?: string;
  /** Cache-Control of an answer that worked. */
  cacheControl: string;
  /** Headers that are parameters. */
  headers?: readonly ParameterHeader[];
  /** A route that serves a PUT which a client could only send as POST: the handler that it calls. */
  aliasOf?: string;
}

/** The method of the bound controller that serves a handler's route: it answers what the handler returns. */
export const servedBy = (handler: string): string => `${handler}Route`;

const INPUT: TaskErrorName[] = ['INVALID_PARAM', 'TOO_LARGE'];
const BODY: TaskErrorName[] = [...INPUT, 'UNSUPPORTED_MEDIA_TYPE'];
const CHANGE: TaskErrorName[] = [...BODY, 'NOT_FOUND', 'INVALID_STATE'];
const { GET, POST, PUT, DELETE } = RequestMethod;

const route = (
  audience: Audience,
  handler: string,
  method: RequestMethod,
  uri: keyof TaskUris,
  operationId: string,
  answer: AnswerKind,
  errors: readonly TaskErrorName[],
  more: Partial<RouteDefinition> = {},
): RouteDefinition => ({
  audience,
  handler,
  method,
  uri,
  operationId,
  answer,
  errors,
  cacheControl: 'no-cache',
  ...more,
});

/** The same route under POST, calling the same handler. */
const byPost = (original: RouteDefinition): RouteDefinition => ({
  ...original,
  handler: `${original.handler}ByPost`,
  method: POST,
  operationId: `${original.operationId}ByPost`,
  aliasOf: original.handler,
});

const UPDATE = route('user', 'update', PUT, 'putTaskUri', 'updateTask', 'task', [...CHANGE, 'TOO_MANY_TASK']);
const REPORT = route('worker', 'report', PUT, 'putCronTaskUri', 'reportTask', 'cronTask', [...CHANGE, 'LEASE_LOST'], {
  headers: ['Lease-Token'],
});
const CLAIM = route('worker', 'claim', GET, 'getCronTaskUri', 'claimTask', 'claim', [...INPUT, 'TOO_MANY_REQUESTS'], {
  headers: ['Idempotency-Key'],
  // Whoever is handed a stored answer believes that it has a task.
  cacheControl: 'no-cache, no-store',
});

/** The contract's routes. */
export const ROUTES: readonly RouteDefinition[] = [
  route(
    'user',
    'create',
    POST,
    'postTaskUri',
    'createTask',
    'created',
    [...BODY, 'NOT_FOUND', 'TOO_MANY_TASK', 'IDEMPOTENCY_CONFLICT'],
    { headers: ['Idempotency-Key'], listHandler: 'createMany' },
  ),
  route('user', 'list', GET, 'getTaskListUri', 'listTasks', 'list', INPUT),
  route('user', 'remove', DELETE, 'deleteTaskUri', 'removeTasks', 'removal', BODY),
  route('user', 'get', GET, 'getTaskUri', 'getTask', 'task', ['NOT_FOUND', 'INVALID_ACCESS']),
  UPDATE,
  byPost(UPDATE),
  CLAIM,
  { ...byPost(CLAIM), errors: [...BODY, 'TOO_MANY_REQUESTS'] },
  route('worker', 'reportMany', PUT, 'getCronTaskUri', 'reportTasks', 'reported', BODY),
  REPORT,
  byPost(REPORT),
];
