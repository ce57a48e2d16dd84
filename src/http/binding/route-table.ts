import { RequestMethod, type Type } from '@nestjs/common';
import type { TaskErrorName } from '../../contract/errors.js';
import { ClaimTaskDto } from '../dto/claim-task.dto.js';
import { CreateTaskDto } from '../dto/create-task.dto.js';
import { ListTasksDto } from '../dto/list-tasks.dto.js';
import { RemoveTasksDto } from '../dto/remove-tasks.dto.js';
import { ReportTaskDto } from '../dto/report-task.dto.js';
import { ReportTasksDto } from '../dto/report-tasks.dto.js';
import { UpdateTaskDto } from '../dto/update-task.dto.js';
import { WatchTasksDto } from '../dto/watch-tasks.dto.js';
import type { TaskUris } from '../http.options.js';
import type { AnswerKind } from '../openapi/answer-schemas.js';
import type { ParameterHeader } from '../request/headers.js';

/** A row of `AUDIENCES`. */
export type Audience = 'user' | 'worker';

/** Everything that defines a route. A new route is one more of these in `ROUTES`, and a method of its controller. */
export interface RouteDefinition {
  audience: Audience;
  method: RequestMethod;
  /** The option that holds its path. */
  uri: keyof TaskUris;
  /** What follows that path, such as `/{taskId}`: several routes may share one option. */
  subPath?: string;
  /** The controller's method that serves it. */
  handler: string;
  operationId: string;
  /** The DTO that it reads from query and body. */
  input?: Type;
  /** Whether the OpenAPI document requires a body. */
  needsBody?: boolean;
  /** Headers that are parameters. */
  headers?: readonly ParameterHeader[];
  answer: AnswerKind;
  /** Its failures, except those that every route has. */
  errors: readonly TaskErrorName[];
  /** Cache-Control of a successful answer. */
  cacheControl: string;
  /** It only reads, so its answer can still be refused when it is ready. */
  readsOnly?: boolean;
  /** It takes the address of a callback. The OpenAPI document then describes the notice. */
  hasCallback?: boolean;
  /** The controller's method that serves a body which is a list. */
  listHandler?: string;
  /** For a POST route that does the same as a GET or PUT route: the handler of that route, which both call. */
  aliasOf?: string;
  /** Another verb that a POST to this path may ask for with `_method`, and the handler that serves it. */
  override?: { verb: string; handler: string };
}

/** The method of the bound controller that calls a handler and answers the result. */
export const servedBy = (handler: string): string => `${handler}Route`;

/** The method of a host's controller that serves a route. */
export const sourceOf = ({ handler, aliasOf }: RouteDefinition): string => aliasOf ?? handler;

/** The path of a route in a registration, such as `/api/tasks/{taskId}`. */
export const pathOf = ({ uri, subPath = '' }: RouteDefinition, uris: TaskUris): string => `${uris[uri]}${subPath}`;

const INPUT: TaskErrorName[] = ['INVALID_PARAM', 'TOO_LARGE'];
/** TOO_MANY_REQUESTS means that the server holds too many unfinished bodies. */
const BODY: TaskErrorName[] = [...INPUT, 'UNSUPPORTED_MEDIA_TYPE', 'TOO_MANY_REQUESTS'];
const CHANGE: TaskErrorName[] = [...BODY, 'NOT_FOUND', 'INVALID_STATE'];
const { GET, POST, PUT, DELETE } = RequestMethod;
const USER = { audience: 'user', cacheControl: 'no-cache' } as const;
const WORKER = { audience: 'worker', cacheControl: 'no-cache' } as const;

/** The same route under POST. It calls the same handler. */
const byPost = (original: RouteDefinition): RouteDefinition => ({
  ...original,
  handler: `${original.handler}ByPost`,
  method: POST,
  operationId: `${original.operationId}ByPost`,
  aliasOf: original.handler,
});

const CREATE: RouteDefinition = {
  ...USER,
  method: POST,
  uri: 'postTaskUri',
  handler: 'create',
  operationId: 'createTask',
  input: CreateTaskDto,
  needsBody: true,
  headers: ['Idempotency-Key'],
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

/** The contract's routes. */
export const ROUTES: readonly RouteDefinition[] = [
  CREATE,
  LIST,
  // 1,000 ids do not fit in a URL.
  { ...byPost(LIST), uri: 'postTaskListUri', errors: BODY },
  WATCH,
  REMOVE,
  SHOW,
  UPDATE,
  byPost(UPDATE),
  CLAIM,
  { ...byPost(CLAIM), errors: BODY },
  REPORT_MANY,
  REPORT,
  byPost(REPORT),
];

export const routesOf = (audience: Audience): RouteDefinition[] =>
  ROUTES.filter((route) => route.audience === audience);
