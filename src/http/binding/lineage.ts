import type { Type } from '@nestjs/common';

export type Handler = (...args: unknown[]) => unknown;

/** The prototypes from the host's class up to ours. */
export function lineage(host: Type): object[] {
  const prototypes: object[] = [];
  for (let current = host.prototype as object; current !== Object.prototype; current = Object.getPrototypeOf(current))
    prototypes.push(current);
  return prototypes;
}

export const methodOf = (host: Type, name: string): Handler => (host.prototype as Record<string, Handler>)[name]!;

/** Counts the classes from the host's class up to the one that defines a method: 0 is the host's class itself. */
export const depth = (host: Type, name: string): number =>
  lineage(host).findIndex((prototype) => Object.hasOwn(prototype, name));

/**
 * A method and those that it overrides, the host's first. Accessors are not called, because there is no instance yet.
 */
export const ancestry = (host: Type, name: string): Handler[] =>
  lineage(host)
    .map((prototype) => Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown)
    .filter((method): method is Handler => typeof method === 'function');

/** Metadata of a method, or of the nearest overridden method that has this metadata. */
export const inherited = (host: Type, name: string, key: string): unknown =>
  ancestry(host, name)
    .map((method): unknown => Reflect.getMetadata(key, method))
    .find((value) => value !== undefined);
