import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { BOUNDS } from '../../validation/rules.js';

type Headers = Record<string, string | string[] | undefined>;

interface HeaderDefinition {
  /** The property of a DTO that holds it for handlers of a host, see `aliasesOf()`. */
  alias: string;
  read(headers: Headers): unknown;
  /** For the OpenAPI document. Absent for a header that belongs to a security scheme. */
  doc?: { description: string; schema: object };
}

/** Headers that are parameters. The use cases check them. */
export const HEADERS = {
  'Idempotency-Key': {
    alias: 'idempotencyKey',
    read: (headers: Headers) => headers['idempotency-key'],
    doc: {
      description:
        'A key that the client chooses, a new one for each new request. If the answer is lost, the client repeats the ' +
        'request with the same key, and gets the answer of the first one.',
      schema: { type: 'string', minLength: 1, maxLength: BOUNDS.keyLength },
    },
  },
  'Lease-Token': {
    alias: 'leaseToken',
    read: (headers: Headers) => headers['lease-token'],
    doc: {
      description: 'The token of the claim, instead of `leaseToken` in the body.',
      schema: { type: 'string', minLength: 1, maxLength: 36 },
    },
  },
  traceparent: {
    alias: 'traceparent',
    read: (headers: Headers) => headers.traceparent,
    doc: {
      description:
        'The trace of the request, as the W3C writes it: workers continue it. A malformed one counts as absent.',
      schema: { type: 'string', maxLength: 512 },
    },
  },
  'Last-Event-ID': {
    alias: 'lastEventId',
    read: (headers: Headers) => headers['last-event-id'],
    doc: {
      description:
        'The `id` of the last event that the client has seen. If nothing has changed since then, the stream begins ' +
        'without a snapshot.',
      schema: { type: 'string', maxLength: BOUNDS.eventIdLength },
    },
  },
  /** A digest of the worker's credential, which the Idempotency-Key belongs to. Without a key it is not needed. */
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
 * A header as a parameter of one of our handlers. The signature that a host overrides does not have it: the handler
 * of a host finds the header on its DTO, and passes it to our handler with the DTO.
 */
export const TaskHeader = createParamDecorator(readHeader);

/** Metadata of a handler: a method of the host serves it, so the DTO holds the aliases of the headers. */
export const ALIASES = 'softdd:task:header-aliases';

/** All headers, by the names of their aliases. */
export const aliasesOf = (headers: Headers): Record<string, unknown> =>
  Object.fromEntries(Object.values(HEADERS).map(({ alias, read }) => [alias, read(headers)]));
