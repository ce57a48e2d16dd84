import 'reflect-metadata';
import {
  applyDecorators,
  Controller,
  Header,
  HttpCode,
  type Type,
  UseFilters,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import {
  HEADERS_METADATA,
  HTTP_CODE_METADATA,
  METHOD_METADATA,
  PARAMTYPES_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { isObservable, map } from 'rxjs';
import type { TaskResponse } from '../contract/response.js';
import type { TaskStructure } from '../task.options.js';
import { CronTaskController } from './cron-task.controller.js';
import type { TaskDtos } from './dto/index.js';
import { TaskErrorFilter } from './error.filter.js';
import { InputList, TAKES_LIST } from './input.js';
import { inputPipe } from './input.pipe.js';
import { RouteDocs } from './openapi.js';
import { type Audience, type RouteDefinition, ROUTES, servedBy } from './route-table.js';
import { TaskController } from './task.controller.js';
import { UserGuard } from './user.guard.js';
import { WorkerGuard } from './worker.guard.js';

/** On a handler: the name of the registration whose route it is. */
export const TASK_ROUTE = 'softdd:task:route';
/** Where Fastify's adapter finds what a request's `routeOptions.config` shall hold. */
const FASTIFY_CONFIG = '__fastify_route_config__';

export const routeOwner = (handler: object): unknown => Reflect.getMetadata(TASK_ROUTE, handler);

type Handler = (...args: unknown[]) => unknown;

/** A handler of a bound controller: one of the contract's, or one that the host adds. */
interface Binding {
  name: string;
  path: string;
  route?: RouteDefinition;
}

const BASE: Record<Audience, Type> = { user: TaskController, worker: CronTaskController };

/** Every controller of a registration. */
export function bindControllers(structure: TaskStructure, dtos: TaskDtos): Type[] {
  const docs = new RouteDocs(structure, dtos);
  return [
    bindController('user', structure.controller, structure, docs),
    bindController('worker', structure.cronController, structure, docs),
  ];
}

/**
 * A controller of this registration's own, below the host's: decorators sit on functions and on classes, so neither
 * the host's class nor the base one is written to, and two registrations don't meet. Each handler becomes a wrapper
 * that calls the host's method, puts what it returns into the envelope (an interceptor would take longer than all the
 * rest of ours), and carries the metadata of the nearest ancestor that has it, so that an override needs no decorators.
 */
function bindController(audience: Audience, host: Type, structure: TaskStructure, docs: RouteDocs): Type {
  const Bound = { [host.name]: class extends host {} }[host.name]!;
  const proto = Bound.prototype as Record<string, Handler>;
  const routes = ROUTES.filter((route) => route.audience === audience);
  const bindings: Binding[] = [
    ...routes.map((route) => ({ name: route.handler, path: nestPath(structure[route.uri]), route })),
    ...addedHandlers(host, routes).map((name) => ({ name, path: String(inherited(host, name, PATH_METADATA)) })),
  ];
  // Express answers by the first path that matches, so fixed paths go before those with parameters.
  bindings.sort((a, b) => Number(a.path.includes(':')) - Number(b.path.includes(':')));
  const response = new structure.response();
  for (const { name, path, route } of bindings) {
    const source = route?.aliasOf ?? name;
    const many = listHandler(host, route);
    const handler: Handler = async function (this: Record<string, Handler>, ...args) {
      const called = many !== undefined && args.some((arg) => arg instanceof InputList) ? many : source;
      return enveloped(response, await (host.prototype as Record<string, Handler>)[called]!.apply(this, args));
    };
    Reflect.defineMetadata(TAKES_LIST, many !== undefined, handler);
    const served = servedBy(name);
    // @nestjs/swagger finds a handler's parameters by the name of its function.
    Object.defineProperty(handler, 'name', { value: served, configurable: true });
    proto[served] = handler;
    copyMetadata(host, source, Bound, served);
    setCacheControl(handler, route?.cacheControl ?? 'no-cache');
    // The host's own calls of its methods get what those return; without metadata, this is no second route.
    proto[name] = function (this: unknown, ...args) {
      return (host.prototype as Record<string, Handler>)[source]!.apply(this, args);
    };
    if (route) bindRoute(Bound, route, path, structure, docs);
    else {
      mark(handler, structure.name);
      docs.addedRoute(Bound, name, audience);
    }
  }
  const guards =
    audience === 'user' ? [...structure.guards, UserGuard] : [...(structure.cronGuards ?? []), WorkerGuard];
  applyDecorators(Controller(''), UseGuards(...guards), UseFilters(TaskErrorFilter), UsePipes(inputPipe()))(Bound);
  docs.controller(Bound, audience);
  return Bound;
}

const enveloped = (response: TaskResponse, result: unknown): unknown =>
  isObservable(result) ? result.pipe(map((data) => response.success(data))) : response.success(result);

/** Unless the host says otherwise. */
function setCacheControl(handler: Handler, value: string): void {
  const headers = (Reflect.getMetadata(HEADERS_METADATA, handler) as { name: string }[] | undefined) ?? [];
  if (!headers.some(({ name }) => name.toLowerCase() === 'cache-control'))
    Header('Cache-Control', value)({}, handler.name, { value: handler });
}

/**
 * The method that serves a body which is a list. Where the host has overridden the one for a single task and not that
 * for many, there is none: rules that the host put there must not be passed by.
 */
function listHandler(host: Type, route: RouteDefinition | undefined): string | undefined {
  const many = route?.listHandler;
  return many !== undefined && depth(host, many) <= depth(host, route!.handler) ? many : undefined;
}

/** How far above the host's class the nearest definition of a method is. */
const depth = (host: Type, name: string): number =>
  lineage(host).findIndex((prototype) => Object.hasOwn(prototype, name));

function bindRoute(Bound: Type, route: RouteDefinition, path: string, structure: TaskStructure, docs: RouteDocs): void {
  const handler = (Bound.prototype as Record<string, Handler>)[servedBy(route.handler)]!;
  Reflect.defineMetadata(PATH_METADATA, path, handler);
  Reflect.defineMetadata(METHOD_METADATA, route.method, handler);
  mark(handler, structure.name);
  // The original answers 200 to everything that worked, POST too.
  if (!Reflect.hasMetadata(HTTP_CODE_METADATA, handler))
    HttpCode(200)(Bound.prototype as object, handler.name, { value: handler });
  docs.route(Bound, route);
}

function mark(handler: Handler, registration: string): void {
  const config: unknown = Reflect.getMetadata(FASTIFY_CONFIG, handler);
  Reflect.defineMetadata(TASK_ROUTE, registration, handler);
  Reflect.defineMetadata(FASTIFY_CONFIG, { ...(config as object), [TASK_ROUTE]: registration }, handler);
}

/** `/api/tasks/{taskId}` as Nest writes it. */
const nestPath = (uri: string): string => uri.replaceAll(/\{(\w+)\}/g, ':$1');

/** Decorators sit on functions: of each key the nearest ancestor's counts, from the host's method up to ours. */
function copyMetadata(host: Type, source: string, Bound: Type, target: string): void {
  const handler = (Bound.prototype as Record<string, Handler>)[target]!;
  for (const method of ancestry(host, source))
    for (const key of Reflect.getMetadataKeys(method))
      if (!Reflect.hasOwnMetadata(key, handler)) Reflect.defineMetadata(key, Reflect.getMetadata(key, method), handler);
  // What sits on the class under the method's name is inherited, but not by an alias.
  if (source !== target)
    Reflect.defineMetadata(ROUTE_ARGS_METADATA, Reflect.getMetadata(ROUTE_ARGS_METADATA, host, source), Bound, target);
  const types: unknown = Reflect.getMetadata(PARAMTYPES_METADATA, host.prototype as object, source);
  Reflect.defineMetadata(PARAMTYPES_METADATA, types ?? [], Bound.prototype as object, target);
}

/** The prototypes from the host's to ours. */
function lineage(host: Type): object[] {
  const prototypes: object[] = [];
  for (let current = host.prototype as object; current !== Object.prototype; current = Object.getPrototypeOf(current))
    prototypes.push(current);
  return prototypes;
}

/** A method and those that it overrides, nearest first. Accessors are not called: there is no instance yet. */
const ancestry = (host: Type, name: string): Handler[] =>
  lineage(host)
    .map((prototype) => Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown)
    .filter((method): method is Handler => typeof method === 'function');

const inherited = (host: Type, handler: string, key: string): unknown =>
  ancestry(host, handler)
    .map((method): unknown => Reflect.getMetadata(key, method))
    .find((value) => value !== undefined);

/** Handlers that the host adds to ours: methods with a path of their own. */
function addedHandlers(host: Type, routes: readonly RouteDefinition[]): string[] {
  const ours = new Set(routes.map((route) => route.handler));
  const names = new Set<string>();
  for (const prototype of lineage(host)) {
    if (prototype === BASE.user.prototype || prototype === BASE.worker.prototype) break;
    for (const name of Object.getOwnPropertyNames(prototype))
      if (name !== 'constructor' && !ours.has(name) && inherited(host, name, PATH_METADATA) !== undefined)
        names.add(name);
  }
  return [...names];
}
