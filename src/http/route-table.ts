import { RequestMethod } from '@nestjs/common';
import type { TaskErrorName } from '../contract/errors.js';
import type { TaskUris } from '../task.options.js';

export type Audience = 'user' | 'worker';

/** What an answer that worked holds as its data. */
export type AnswerKind = 'task' | 'list' | 'removal' | 'claim' | 'cronTask';

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
  /** A route that serves a PUT which a client could only send as POST: the handler that it calls. */
  aliasOf?: string;
}

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
): RouteDefinition => ({ audience, handler, method, uri, operationId, answer, errors });

/** The same route under POST, calling the same handler. */
const byPost = (original: RouteDefinition): RouteDefinition => ({
  ...original,
  handler: `${original.handler}ByPost`,
  method: POST,
  operationId: `${original.operationId}ByPost`,
  aliasOf: original.handler,
});

const UPDATE = route('user', 'update', PUT, 'putTaskUri', 'updateTask', 'task', CHANGE);
const REPORT = route('worker', 'report', PUT, 'putCronTaskUri', 'reportTask', 'cronTask', CHANGE);

/** The contract's routes. */
export const ROUTES: readonly RouteDefinition[] = [
  route('user', 'create', POST, 'postTaskUri', 'createTask', 'task', BODY),
  route('user', 'list', GET, 'getTaskListUri', 'listTasks', 'list', INPUT),
  route('user', 'remove', DELETE, 'deleteTaskUri', 'removeTasks', 'removal', BODY),
  route('user', 'get', GET, 'getTaskUri', 'getTask', 'task', ['NOT_FOUND', 'INVALID_ACCESS']),
  UPDATE,
  byPost(UPDATE),
  route('worker', 'claim', GET, 'getCronTaskUri', 'claimTask', 'claim', INPUT),
  REPORT,
  byPost(REPORT),
];
