import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { NEST, typesOf } from '../binding/nest-internals.js';
import type { RouteDefinition } from '../binding/route-table.js';

/** On a handler: what serves it under another verb, see `overrideOf()`. */
export const OVERRIDE = 'softdd:task:override';

/** Another route of the same path, which a client of PHP reaches by POST: a form can send nothing else. */
export interface Override {
  verb: string;
  /** Method of the controller that serves it. */
  handler: string;
  /** The DTO in that method's signature. */
  metatype: unknown;
}

/** Input of a request that asks for another verb than it was sent with. */
export class OverriddenInput {
  constructor(
    readonly override: Override,
    readonly input: unknown,
  ) {}
}

/** What stands in front of a method, and would be passed by if another route called it. */
const IN_FRONT = [NEST.guards, NEST.interceptors, NEST.pipes, NEST.filters];

/**
 * What serves a POST that asks for the verb in `route.override`; `served` is that method as it is bound. Undefined where
 * the host has put guards, pipes, interceptors or other parameters on either method: only Nest itself can run those, so
 * a client must send the verb.
 */
export function overrideOf(host: Type, base: Type, route: RouteDefinition, served: object): Override | undefined {
  const { verb, handler } = route.override!;
  const isOurs = (name: string): boolean =>
    Reflect.getMetadata(NEST.parameters, host, name) === Reflect.getMetadata(NEST.parameters, base, name);
  if (!isOurs(route.handler) || !isOurs(handler)) return undefined;
  if (IN_FRONT.some((key) => Reflect.hasMetadata(key, served))) return undefined;
  const types = typesOf(host.prototype as object, handler)!;
  return { verb, handler, metatype: types.at(-1) };
}
