import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { invalid } from '../core/invalid.js';
import { bodyOf, type Input, parseForm } from './body.js';

/** What a body that is a list becomes: no other array of a host's handlers is mistaken for it. */
export class InputList<T> extends Array<T> {}

/** On a handler: whether a body that is a list comes to it, or to the method for many beside it. */
export const TAKES_LIST = 'softdd:task:takes-list';

interface InputRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: Record<string, string | string[] | undefined>;
}

/**
 * What a request says, wherever it says it: query and body, of which the body wins (a GET has none), and the headers
 * that are parameters. `verb` is the route's own method: the original's clients send a multipart PUT as POST with
 * `_method=PUT`. A body that is a list gives a list, for the routes that take one.
 */
export const TaskInput = createParamDecorator((verb: string, context: ExecutionContext): Input | Input[] => {
  const request = context.switchToHttp().getRequest<InputRequest>();
  const url = request.originalUrl ?? request.url;
  const mark = url.indexOf('?');
  const query = mark < 0 ? {} : parseForm(url.slice(mark + 1), 'query');
  const body = request.method === 'GET' ? {} : bodyOf(request);
  const headers = headersOf(request.headers);
  if (!Array.isArray(body)) return inputOf(verb, query, body, headers);
  if (Reflect.getMetadata(TAKES_LIST, context.getHandler()) !== true)
    throw invalid([{ field: 'body', rule: 'isObject', msg: 'body must be a JSON object: one at a time here' }]);
  return InputList.from(body.map((item) => inputOf(verb, query, item, headers)));
});

function inputOf(verb: string, query: Input, item: Input, headers: HeaderInput): Input {
  // A token may be said in either, and the body wins. A key is a matter of the request, not of its content.
  const { leaseToken = headers.leaseToken, _method: override, ...input } = { ...query, ...item };
  if (override !== undefined && (typeof override !== 'string' || override.toUpperCase() !== verb))
    throw invalid([{ field: '_method', rule: 'method', msg: `must be ${verb} here, or absent` }]);
  input.leaseToken = leaseToken;
  input.idempotencyKey = headers.idempotencyKey;
  input.credential = headers.credential;
  return input;
}

interface HeaderInput {
  leaseToken?: unknown;
  idempotencyKey?: unknown;
  /** Whose key it is: a digest of what came with it. */
  credential?: string | undefined;
}

function headersOf(headers: InputRequest['headers']): HeaderInput {
  const { 'lease-token': leaseToken, 'idempotency-key': idempotencyKey, authorization = '' } = headers;
  if (idempotencyKey === undefined) return { leaseToken };
  return { leaseToken, idempotencyKey, credential: createHash('sha256').update(String(authorization)).digest('hex') };
}
