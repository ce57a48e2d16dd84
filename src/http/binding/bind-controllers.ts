import 'reflect-metadata';
import {
  applyDecorators,
  Controller,
  Header,
  HttpCode,
  type NestInterceptor,
  type PipeTransform,
  type Type,
  UseFilters,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import { from, lastValueFrom } from 'rxjs';
import type { TaskResponse } from '../../contract/response.js';
import type { PriorityRange } from '../../validation/rules.js';
import type { TaskDtos } from '../dto/index.js';
import { TaskErrorFilter } from '../error.filter.js';
import type { RouteStructure } from '../http.options.js';
import { RouteDocs } from '../openapi/operations.js';
import { ALIASES } from '../request/headers.js';
import { TAKES_LIST } from '../request/input.js';
import { inputPipe } from '../request/input.pipe.js';
import { OVERRIDE, overrideOf } from '../request/method-override.js';
import { SEALED, type SealedRoute } from './answer-hook.js';
import type { ControllerStructure } from '../controller.options.js';
import { AUDIENCES } from './audiences.js';
import { conduct, exchangeOf } from './exchange.js';
import { handlerOf } from './handler.js';
import { ancestry, depth, type Handler, inherited, lineage, methodOf } from './lineage.js';
import {
  addFastifyConfig,
  answersItself,
  copyMetadata,
  hasOwnPipes,
  NEST,
  parametersOf,
  setTypes,
  typesOf,
} from './nest-internals.js';
import { Parameters, withoutHeaders } from './parameters.js';
import { type Audience, pathOf, type RouteDefinition, routesOf, servedBy, sourceOf } from './route-table.js';

/** On a handler: the name of the registration whose route it is. */
export const TASK_ROUTE = 'softdd:task:route';

export const routeOwner = (handler: object): unknown => Reflect.getMetadata(TASK_ROUTE, handler);

/** A handler of a bound controller: one of the contract's, or one that the host adds. */
interface Binding {
  name: string;
  path: string;
  route?: RouteDefinition;
}

/** A host's controller, and the one that is bound in its place. */
interface Binder {
  audience: Audience;
  host: Type;
  Bound: Type;
  structure: RouteStructure;
  docs: RouteDocs;
  response: TaskResponse;
  pipe: PipeTransform;
  /** The host has interceptors of its own on it. */
  intercepted: boolean;
}

/** Every controller of a registration. `priority`: the range that the OpenAPI document shows. */
export function bindControllers(
  structure: RouteStructure & ControllerStructure,
  dtos: TaskDtos,
  priority: PriorityRange,
): Type[] {
  const docs = new RouteDocs(structure, dtos, priority);
  return (Object.keys(AUDIENCES) as Audience[]).map((audience) => bindController(audience, structure, docs));
}

/**
 * A controller of this registration's own, below the host's: decorators sit on functions and on classes, so neither
 * the host's class nor the base one is written to, and two registrations don't meet. Each handler becomes a wrapper
 * that calls the host's method, puts what it returns into the envelope (an interceptor would take longer than all the
 * rest of ours), and carries the metadata of the nearest ancestor that has it, so that an override needs no decorators.
 */
function bindController(audience: Audience, structure: RouteStructure & ControllerStructure, docs: RouteDocs): Type {
  const { controller, guards, guard } = AUDIENCES[audience];
  const host: Type = structure[controller];
  const Bound = { [host.name]: class extends host {} }[host.name]!;
  const bindings = bindingsOf(audience, host, structure);
  const intercepted = hasInterceptors(host, bindings);
  if (intercepted) {
    const own = (Reflect.getMetadata(NEST.interceptors, host) ?? []) as unknown[];
    Reflect.defineMetadata(NEST.interceptors, [SEAL, ...own], Bound);
  }
  const pipe = inputPipe();
  const binder = { audience, host, Bound, structure, docs, response: new structure.response(), pipe, intercepted };
  for (const binding of bindings) bindHandler(binder, binding);
  bindOverrides(binder);
  applyDecorators(
    Controller(''),
    UseGuards(...(structure[guards] ?? []), guard),
    UseFilters(TaskErrorFilter),
    UsePipes(pipe),
  )(Bound);
  docs.controller(Bound, audience);
  return Bound;
}

function bindingsOf(audience: Audience, host: Type, structure: RouteStructure): Binding[] {
  const routes = routesOf(audience);
  const bindings: Binding[] = [
    ...routes.map((route) => ({ name: route.handler, path: nestPath(pathOf(route, structure)), route })),
    ...addedHandlers(host, routes).map((name) => ({ name, path: String(inherited(host, name, NEST.path)) })),
  ];
  // Express answers by the first path that matches, so fixed paths go before those with parameters.
  return bindings.sort((a, b) => Number(a.path.includes(':')) - Number(b.path.includes(':')));
}

function bindHandler(binder: Binder, { name, path, route }: Binding): void {
  const { host, Bound, structure, docs, response, pipe, intercepted } = binder;
  const proto = Bound.prototype as Record<string, Handler>;
  const source = route ? sourceOf(route) : name;
  const served = servedBy(name);
  const many = listHandler(host, route);
  const isAdded = !isAllOurs(binder, route);
  // What sits on the class under the method's name is inherited, but not by a method of another name.
  Reflect.defineMetadata(NEST.parameters, withoutHeaders(parametersOf(host, source)), Bound, served);
  setTypes(proto, served, typesOf(host.prototype as object, source) ?? []);
  const isSealed = route !== undefined && !answersItself(host, source);
  const parameters = isSealed ? new Parameters(Bound, served, pipe, host, source, isAdded) : undefined;
  const handler = handlerOf({ host, name: source, many, response, parameters, intercepted });
  // @nestjs/swagger finds a handler's parameters by the name of its function.
  Object.defineProperty(handler, 'name', { value: served, configurable: true });
  proto[served] = handler;
  Reflect.defineMetadata(TAKES_LIST, many !== undefined, handler);
  Reflect.defineMetadata(ALIASES, isAdded, handler);
  // Decorators sit on functions: of each key the nearest ancestor's counts, from the host's method up to ours.
  for (const method of ancestry(host, source)) copyMetadata(method, handler);
  if (isSealed) seal(binder, handler, route);
  setCacheControl(handler, route?.cacheControl ?? 'no-cache');
  mark(handler, TASK_ROUTE, structure.name);
  // The host's own calls of its methods get what those return; without metadata, this is no second route.
  proto[name] = function (this: unknown, ...args) {
    return methodOf(host, source).apply(this, args);
  };
  if (!route) {
    docs.addedRoute(Bound, name, binder.audience);
    return;
  }
  Reflect.defineMetadata(NEST.path, path, handler);
  Reflect.defineMetadata(NEST.method, route.method, handler);
  // The original answers 200 to everything that worked, POST too.
  if (!Reflect.hasMetadata(NEST.httpCode, handler)) HttpCode(200)(proto, served, { value: handler });
  docs.route(Bound, route);
}

/** Its answer is sent by AnswerHook. */
function seal({ Bound, structure, intercepted }: Binder, handler: Handler, route: RouteDefinition): void {
  mark(handler, SEALED, {
    registration: structure.name,
    controller: Bound,
    handler: handler.name,
    intercepted,
    cacheControl: route.cacheControl.includes('no-store') ? route.cacheControl : undefined,
    readsOnly: route.readsOnly === true,
  } satisfies SealedRoute);
}

/** Express finds it on the handler, Fastify in the route's configuration. */
function mark(handler: Handler, key: string, value: unknown): void {
  Reflect.defineMetadata(key, value, handler);
  addFastifyConfig(handler, { [key]: value });
}

/** Unless the host says otherwise. */
function setCacheControl(handler: Handler, value: string): void {
  const headers = (Reflect.getMetadata(NEST.headers, handler) as { name: string }[] | undefined) ?? [];
  if (!headers.some(({ name }) => name.toLowerCase() === 'cache-control'))
    Header('Cache-Control', value)({}, handler.name, { value: handler });
}

/** Whether only methods of ours serve a route, and only pipes of ours stand in front of them. */
const isAllOurs = ({ host, audience }: Binder, route: RouteDefinition | undefined): boolean =>
  route !== undefined &&
  !hasOwnPipes(host, sourceOf(route)) &&
  [sourceOf(route), route.listHandler, route.override?.handler].every(
    (name) => name === undefined || methodOf(host, name) === methodOf(AUDIENCES[audience].base, name),
  );

/**
 * The method that serves a body which is a list. Where the host has overridden the one for a single task and not that
 * for many, there is none: rules that the host put there must not be passed by.
 */
function listHandler(host: Type, route: RouteDefinition | undefined): string | undefined {
  const many = route?.listHandler;
  return many !== undefined && depth(host, many) <= depth(host, route!.handler) ? many : undefined;
}

/** Other verbs that a POST may ask for, where the route of that verb has the same path. */
function bindOverrides({ audience, host, Bound, structure }: Binder): void {
  const routes = routesOf(audience);
  for (const route of routes.filter((some) => some.override)) {
    const other = routes.find(({ handler }) => handler === route.override!.handler)!;
    if (pathOf(route, structure) !== pathOf(other, structure)) continue;
    const override = overrideOf(host, AUDIENCES[audience].base, route, methodOf(Bound, servedBy(other.handler)));
    if (override) Reflect.defineMetadata(OVERRIDE, override, methodOf(Bound, servedBy(route.handler)));
  }
}

/** Whether the host has put interceptors on its controller, or on a handler, on purpose: what they make of an answer counts. */
const hasInterceptors = (host: Type, bindings: Binding[]): boolean =>
  Reflect.hasMetadata(NEST.interceptors, host) ||
  bindings.some(({ name, route }) => inherited(host, route ? sourceOf(route) : name, NEST.interceptors) !== undefined);

/** Between the host's global interceptors and those of the controller: the answer is what comes out of the latter. */
const SEAL: NestInterceptor = {
  intercept(context, next) {
    const http = context.switchToHttp();
    const request: unknown = http.getRequest();
    if (!exchangeOf(request)) return next.handle();
    return from(conduct(request, http.getResponse(), () => lastValueFrom(next.handle())));
  },
};

/** `/api/tasks/{taskId}` as Nest writes it. */
const nestPath = (uri: string): string => uri.replaceAll(/\{(\w+)\}/g, ':$1');

/** Handlers that the host adds to ours: methods with a path of their own. */
function addedHandlers(host: Type, routes: readonly RouteDefinition[]): string[] {
  const ours = new Set(routes.map((route) => route.handler));
  const bases = Object.values(AUDIENCES).map(({ base }): unknown => base.prototype);
  const names = new Set<string>();
  for (const prototype of lineage(host)) {
    if (bases.includes(prototype)) break;
    for (const name of Object.getOwnPropertyNames(prototype))
      if (name !== 'constructor' && !ours.has(name) && inherited(host, name, NEST.path) !== undefined) names.add(name);
  }
  return [...names];
}
