import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { NEST, typesOf } from '../binding/nest-internals.js';
import type { RouteDefinition } from '../binding/route-definition.js';

/** Metadata of a handler: the handler of another verb, see `overrideOf()`. */
export const OVERRIDE = 'softdd:task:override';

/** Another route of the same path. Clients in PHP reach it with a POST, because a form can send no other verb. */
export interface Override {
  verb: string;
  /** Method of the controller that serves it. */
  handler: string;
  /** The DTO in that method's signature. */
  metatype: unknown;
}

/** The input of a POST that asks for another verb. */
export class OverriddenInput {
  constructor(
    readonly override: Override,
    readonly input: unknown,
  ) {}
}

/** Nest runs these before a method. They would be bypassed if the handler of another route called the method. */
const IN_FRONT = [NEST.guards, NEST.interceptors, NEST.pipes, NEST.filters];

/**
 * The handler for a POST that asks for the verb in `route.override`. `served` is the bound method of that verb.
 * Undefined if the host has put guards, pipes, interceptors or other parameters on one of the two methods: only Nest
 * can run those, so a client must send the verb itself.
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
