import 'reflect-metadata';
import {
  applyDecorators,
  Controller,
  Header,
  HttpCode,
  type PipeTransform,
  type Type,
  UseFilters,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
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
import { SEAL } from './seal.interceptor.js';
import { Parameters, withoutHeaders } from './parameters.js';
import {
  type Audience,
  isServed,
  nestPath,
  pathOf,
  type RouteDefinition,
  servedBy,
  sourceOf,
} from './route-definition.js';
import { routesOf } from './route-table.js';

/** Metadata of a handler: the name of the registration that the route belongs to. */
export const TASK_ROUTE = 'softdd:task:route';

export const routeOwner = (handler: object): unknown => Reflect.getMetadata(TASK_ROUTE, handler);

/** A handler of a bound controller: that of a route in the route table, or one that the host adds. */
interface Binding {
  name: string;
  path: string;
  route?: RouteDefinition;
}

/** A host's controller, and the subclass that is bound instead. */
interface Binder {
  audience: Audience;
  host: Type;
  Bound: Type;
  structure: RouteStructure;
  dtos: TaskDtos;
  docs: RouteDocs;
  response: TaskResponse;
  pipe: PipeTransform;
  /** The host's controller, or a handler of it, has interceptors. */
  intercepted: boolean;
}

/** Returns the controllers of a registration. `priority` is the range that the OpenAPI document shows. */
export function bindControllers(
  structure: RouteStructure & ControllerStructure,
  dtos: TaskDtos,
  priority: PriorityRange,
): Type[] {
  const docs = new RouteDocs(structure, dtos, priority);
  const audiences = Object.keys(AUDIENCES) as Audience[];
  return audiences
    .filter((audience) => routesOf(audience).some((route) => isServed(route, structure)))
    .map((audience) => bindController(audience, structure, dtos, docs));
}

/**
 * Makes a subclass of the host's controller for this registration. Decorators write to functions and classes, so with a
 * subclass neither the host's class nor ours changes, and registrations stay apart. Each handler becomes a wrapper: it
 * calls the host's method and puts the result into the envelope (an interceptor would take longer than the rest of our
 * code). The wrapper has the metadata of the nearest overridden method, so that an override needs no decorators.
 */
function bindController(
  audience: Audience,
  structure: RouteStructure & ControllerStructure,
  dtos: TaskDtos,
  docs: RouteDocs,
): Type {
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
  const response = new structure.response();
  const binder = { audience, host, Bound, structure, dtos, docs, response, pipe, intercepted };
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
  // Express takes the first path that matches, so fixed paths come before those with parameters.
  return bindings.sort((a, b) => Number(a.path.includes(':')) - Number(b.path.includes(':')));
}

function bindHandler(binder: Binder, { name, path, route }: Binding): void {
  const { host, Bound, structure, dtos, docs, response, pipe, intercepted } = binder;
  const proto = Bound.prototype as Record<string, Handler>;
  const source = route ? sourceOf(route) : name;
  const served = servedBy(name);
  const many = listHandler(host, route);
  const isAdded = !isAllOurs(binder, route);
  // Metadata on the class is found by the method's name, and the bound method has another name.
  Reflect.defineMetadata(NEST.parameters, withoutHeaders(parametersOf(host, source)), Bound, served);
  setTypes(proto, served, typesOf(host.prototype as object, source) ?? []);
  const isSealed = route !== undefined && !answersItself(host, source);
  const parameters = isSealed
    ? new Parameters(Bound, served, pipe, host, source, isAdded, {
        TaskDto: route.holdsTask ? dtos.create : undefined,
        refusesUnknown: route.refusesUnknown === true,
      })
    : undefined;
  const handler = handlerOf({ host, name: source, many, response, parameters, intercepted });
  // @nestjs/swagger finds a handler's parameters by the name of its function.
  Object.defineProperty(handler, 'name', { value: served, configurable: true });
  proto[served] = handler;
  Reflect.defineMetadata(TAKES_LIST, many !== undefined, handler);
  Reflect.defineMetadata(ALIASES, isAdded, handler);
  // For each key the nearest method that has it counts, from the host's method up to ours.
  for (const method of ancestry(host, source)) copyMetadata(method, handler);
  if (isSealed) seal(binder, handler, route);
  setCacheControl(handler, route?.cacheControl ?? 'no-cache');
  mark(handler, TASK_ROUTE, structure.name);
  // If the host calls its own method, it gets the result without an envelope. Without metadata it is no route.
  proto[name] = function (this: unknown, ...args) {
    return methodOf(host, source).apply(this, args);
  };
  if (!route) {
    docs.addedRoute(Bound, name, binder.audience);
    return;
  }
  Reflect.defineMetadata(NEST.path, path, handler);
  Reflect.defineMetadata(NEST.method, route.method, handler);
  // The legacy API answers 200 to each successful request, also to a POST.
  if (!Reflect.hasMetadata(NEST.httpCode, handler)) HttpCode(200)(proto, served, { value: handler });
  docs.route(Bound, route);
}

/** Makes AnswerHook send the answer. */
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

/** With Express it is found on the handler, with Fastify in the route's configuration. */
function mark(handler: Handler, key: string, value: unknown): void {
  Reflect.defineMetadata(key, value, handler);
  addFastifyConfig(handler, { [key]: value });
}

/** Sets Cache-Control, unless the host has set it. */
function setCacheControl(handler: Handler, value: string): void {
  const headers = (Reflect.getMetadata(NEST.headers, handler) as { name: string }[] | undefined) ?? [];
  if (!headers.some(({ name }) => name.toLowerCase() === 'cache-control'))
    Header('Cache-Control', value)({}, handler.name, { value: handler });
}

/** Whether only our methods serve a route, with only our pipes before them. */
const isAllOurs = ({ host, audience }: Binder, route: RouteDefinition | undefined): boolean =>
  route !== undefined &&
  !hasOwnPipes(host, sourceOf(route)) &&
  [sourceOf(route), route.listHandler, route.override?.handler].every(
    (name) => name === undefined || methodOf(host, name) === methodOf(AUDIENCES[audience].base, name),
  );

/**
 * The method that serves a body which is a list. There is none if the host has overridden the method for one task but
 * not the one for a list, because a list would bypass the rules of the host's method.
 */
function listHandler(host: Type, route: RouteDefinition | undefined): string | undefined {
  const many = route?.listHandler;
  return many !== undefined && depth(host, many) <= depth(host, route!.handler) ? many : undefined;
}

/** Binds other verbs that a POST may ask for, if the route of that verb has the same path. */
function bindOverrides({ audience, host, Bound, structure }: Binder): void {
  const routes = routesOf(audience);
  for (const route of routes.filter((some) => some.override)) {
    const other = routes.find(({ handler }) => handler === route.override!.handler)!;
    if (pathOf(route, structure) !== pathOf(other, structure)) continue;
    const override = overrideOf(host, AUDIENCES[audience].base, route, methodOf(Bound, servedBy(other.handler)));
    if (override) Reflect.defineMetadata(OVERRIDE, override, methodOf(Bound, servedBy(route.handler)));
  }
}

/** Whether the host's controller or a handler of it has interceptors. Their result is the answer. */
const hasInterceptors = (host: Type, bindings: Binding[]): boolean =>
  Reflect.hasMetadata(NEST.interceptors, host) ||
  bindings.some(({ name, route }) => inherited(host, route ? sourceOf(route) : name, NEST.interceptors) !== undefined);

/** Handlers that the host adds: methods with a path of their own. */
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
