import { RequestMethod, type Type } from '@nestjs/common';
import type { TaskErrorName } from '../../contract/errors.js';
import type { TaskUris } from '../http.options.js';
import type { AnswerKind } from '../openapi/answer-schemas.js';
import type { ParameterHeader } from '../request/headers.js';

/** A row of `AUDIENCES`. */
export type Audience = 'user' | 'worker' | 'schedule' | 'batch' | 'operator';

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
  /** Its parameters `task`, `then` and those in the list `tasks` are what a create takes, and are checked as that. */
  holdsTask?: boolean;
  /** What a first request has for parameters in the path. */
  examples?: Readonly<Record<string, string>>;
  /**
   * Parameters that it does not have are refused, because a misspelt one would change something else than was meant.
   * Routes of the Laravel package ignore them: its clients send some.
   */
  refusesUnknown?: boolean;
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

/** Writes `/api/tasks/{taskId}` as `/api/tasks/:taskId`. */
export const nestPath = (uri: string): string => uri.replaceAll(/\{(\w+)\}/g, ':$1');

/** Whether a registration has the route. */
export const isServed = ({ uri }: RouteDefinition, uris: TaskUris): boolean => uris[uri] !== 'off';

export const INPUT: TaskErrorName[] = ['INVALID_PARAM', 'TOO_LARGE'];
/** TOO_MANY_REQUESTS means that the server holds too many unfinished bodies. */
export const BODY: TaskErrorName[] = [...INPUT, 'UNSUPPORTED_MEDIA_TYPE', 'TOO_MANY_REQUESTS'];
export const CHANGE: TaskErrorName[] = [...BODY, 'NOT_FOUND', 'INVALID_STATE'];

/** The same route under POST. It calls the same handler. */
export const byPost = (original: RouteDefinition): RouteDefinition => ({
  ...original,
  handler: `${original.handler}ByPost`,
  method: RequestMethod.POST,
  operationId: `${original.operationId}ByPost`,
  aliasOf: original.handler,
});
