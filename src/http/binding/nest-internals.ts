import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  HEADERS_METADATA,
  HTTP_CODE_METADATA,
  INTERCEPTORS_METADATA,
  METHOD_METADATA,
  PARAMTYPES_METADATA,
  PATH_METADATA,
  PIPES_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import type { HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { RouteParamsFactory } from '@nestjs/core/router/route-params-factory.js';

// Everything that this module uses of Nest, Swagger, Express and Fastify without being documented. Any release may move
// it: test/unit/http/binding/nest-internals.test.ts names what has moved.

export { ExecutionContextHost, RouteParamsFactory };

/** Metadata keys. The metadata is on the handler's function, unless the comment names another place. */
export const NEST = {
  path: PATH_METADATA,
  method: METHOD_METADATA,
  httpCode: HTTP_CODE_METADATA,
  headers: HEADERS_METADATA,
  /** These four may also be on the class. */
  guards: GUARDS_METADATA,
  interceptors: INTERCEPTORS_METADATA,
  pipes: PIPES_METADATA,
  filters: EXCEPTION_FILTERS_METADATA,
  /** On the class, by the method's name: the decorators of its parameters. */
  parameters: ROUTE_ARGS_METADATA,
  /** On the class, by the method's name: `@Res({ passthrough: true })`. */
  passthrough: RESPONSE_PASSTHROUGH_METADATA,
  /** On the prototype, by the method's name: TypeScript's types of the parameters. */
  types: PARAMTYPES_METADATA,
} as const;

export const SWAGGER = {
  operation: 'swagger/apiOperation',
  responses: 'swagger/apiResponse',
  /** On a DTO's prototype: the names of its properties, each after a colon. */
  properties: 'swagger/apiModelPropertiesArray',
  /** On a DTO's prototype, by the property's name. */
  property: 'swagger/apiModelProperties',
} as const;

/** On a handler: the content of a request's `routeOptions.config`. */
export const FASTIFY_CONFIG = '__fastify_route_config__';

/** The kinds of parameters that this module handles, by Nest's numbers. */
const KIND = { request: 0, response: 1, next: 2, path: 5 } as const;

/** A parameter of a handler, as Nest's decorators describe it. */
export interface Parameter {
  index: number;
  data?: unknown;
  factory?: (data: any, context: ExecutionContextHost) => unknown;
  pipes: unknown[];
}

/** The parameters of a method. The keys are kind and index. */
export const parametersOf = (host: Type, method: string): Record<string, Parameter> =>
  (Reflect.getMetadata(NEST.parameters, host, method) ?? {}) as Record<string, Parameter>;

const isKind = (key: string, ...kinds: (keyof typeof KIND)[]): boolean =>
  kinds.some((kind) => key.startsWith(`${KIND[kind]}:`));

/** Whether a decorator of `createParamDecorator()` describes the parameter. */
export const isCustom = (key: string): boolean => key.includes(CUSTOM_ROUTE_ARGS_METADATA);

/** Whether `@Param('name')` describes the parameter. */
export const isPathParameter = (key: string, { data }: Parameter): boolean =>
  isKind(key, 'path') && typeof data === 'string';

/** Two more parameters, from `index` on: the request and the response. */
export const requestAndResponse = (index: number): Record<string, Parameter> =>
  Object.fromEntries(
    [KIND.request, KIND.response].map((kind, place) => [
      `${kind}:${index + place}`,
      { index: index + place, data: undefined, pipes: [] },
    ]),
  );

/** Whether a method has `@Res()` or `@Next()` and so sends its answer itself: Nest then sends nothing. */
export const answersItself = (host: Type, method: string): boolean =>
  Reflect.getMetadata(NEST.passthrough, host, method) !== true &&
  Object.keys(parametersOf(host, method)).some((key) => isKind(key, 'response', 'next'));

export const hasOwnPipes = (host: Type, method: string): boolean =>
  Reflect.hasMetadata(NEST.pipes, host) ||
  Reflect.hasMetadata(NEST.pipes, (host.prototype as Record<string, object>)[method]!);

/** Types of a method's parameters; undefined if the method has no decorator. */
export const typesOf = (prototype: object, method: string): unknown[] | undefined =>
  Reflect.getMetadata(NEST.types, prototype, method) as unknown[] | undefined;

export const setTypes = (prototype: object, method: string, types: unknown[]): void =>
  Reflect.defineMetadata(NEST.types, types, prototype, method);

export function addFastifyConfig(handler: object, more: object): void {
  const config: unknown = Reflect.getMetadata(FASTIFY_CONFIG, handler);
  Reflect.defineMetadata(FASTIFY_CONFIG, { ...(config as object), ...more }, handler);
}

export type RouteHandler = (request: unknown, response: unknown, next: unknown) => unknown;

/** A layer of an Express router. */
export interface ExpressLayer {
  match(path: string): boolean;
  route?: { path: unknown; methods: Record<string, boolean>; stack: { handle: RouteHandler }[] };
}

/** The layers of Express 5, or of 4. */
export function expressLayers(httpAdapter: HttpAdapterHost['httpAdapter']): ExpressLayer[] {
  type Router = { stack: ExpressLayer[] };
  const express = httpAdapter.getInstance<{ router?: Router; _router?: Router }>();
  return (express.router ?? express._router)?.stack ?? [];
}

/** Replaces handlers that Express already has. The replacement gets the metadata. */
export function replaceExpressHandlers(
  layers: ExpressLayer[],
  replacementOf: (handle: RouteHandler) => RouteHandler | undefined,
): void {
  for (const layer of layers.flatMap(({ route }) => route?.stack ?? [])) {
    const { handle } = layer;
    const replacement = replacementOf(handle);
    if (!replacement) continue;
    copyMetadata(handle, replacement);
    layer.handle = replacement;
  }
}

/** Copies the metadata that the target does not have yet. */
export function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getMetadataKeys(from))
    if (!Reflect.hasOwnMetadata(key, to)) Reflect.defineMetadata(key, Reflect.getMetadata(key, from), to);
}
