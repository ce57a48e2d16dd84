import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { BOUNDS } from '../../validation/rules.js';

type Headers = Record<string, string | string[] | undefined>;

interface HeaderDefinition {
  /** The property of a DTO that repeats it for a host's own handlers, see `aliasesOf()`. */
  alias: string;
  read(headers: Headers): unknown;
  /** What the OpenAPI document says of it; without, it is part of a security scheme. */
  doc?: { description: string; schema: object };
}

/** Headers that are parameters of their own. The use cases check them. */
export const HEADERS = {
  'Idempotency-Key': {
    alias: 'idempotencyKey',
    read: (headers: Headers) => headers['idempotency-key'],
    doc: {
      description:
        "Of the client's choice, new for each new wish: a request that is sent again with the same key, because its " +
        'answer was lost, is answered as the first one.',
      schema: { type: 'string', minLength: 1, maxLength: BOUNDS.keyLength },
    },
  },
  'Lease-Token': {
    alias: 'leaseToken',
    read: (headers: Headers) => headers['lease-token'],
    doc: {
      description: "The claim's token, for those who would rather not say `leaseToken` in the body.",
      schema: { type: 'string', minLength: 1, maxLength: 36 },
    },
  },
  /** Whose key it is: a digest of what the worker came in with. Requests without a key need none. */
  Authorization: {
    alias: 'credential',
    read: (headers: Headers) =>
      headers['idempotency-key'] === undefined
        ? undefined
        : createHash('sha256')
            .update(String(headers.authorization ?? ''))
            .digest('hex'),
  },
} satisfies Record<string, HeaderDefinition>;

export type ParameterHeader = keyof typeof HEADERS;

export const headerDoc = (name: ParameterHeader): HeaderDefinition['doc'] => (HEADERS[name] as HeaderDefinition).doc;

export const readHeader = (name: ParameterHeader, context: ExecutionContext): unknown =>
  HEADERS[name].read(context.switchToHttp().getRequest<{ headers: Headers }>().headers);

/**
 * A header, as a parameter of one of our handlers. It is no part of the signature that a host overrides: a handler of
 * the host's finds the header on its DTO, and hands it on with the DTO to ours.
 */
export const TaskHeader = createParamDecorator(readHeader);

/** On a handler: a method of the host's serves it, so its DTO has the headers' aliases. */
export const ALIASES = 'softdd:task:header-aliases';

/** All headers, by their aliases on a DTO. */
export const aliasesOf = (headers: Headers): Record<string, unknown> =>
  Object.fromEntries(Object.values(HEADERS).map(({ alias, read }) => [alias, read(headers)]));
