import type { IncomingMessage } from 'node:http';
import { type Input, unsupported } from '../../validation/body-problems.js';
import type { BodyCollector } from './body-collector.js';
import { hostParsedBody, type HostParsed } from './host-parsed-body.js';
import { parseUrlencoded } from './parse-form.js';
import { parseJson } from '../../validation/parse-json.js';
import { parseMultipart } from './parse-multipart.js';

const BODY = Symbol('softdd.task.body');

type Parsed = Input | Input[];
type Stashing = HostParsed & { [BODY]?: Body; raw?: Stashing };

/**
 * Reads a request's body and keeps it with the request, unparsed, because no guard has run yet. Calls `done` in the end, also
 * if the body cannot be read.
 */
export function stashBody(request: IncomingMessage, collector: BodyCollector, done: () => void): void {
  const { headers } = request;
  const keep = (body: Body): void => {
    (request as Stashing)[BODY] = body;
    done();
  };
  collector.collect(request).then(
    (bytes) => keep(new Body(headers, bytes)),
    (error: unknown) => keep(new Body(headers, undefined, error)),
  );
}

/** The parameters in a request's body, or a list of them. Throws the error of reading or parsing the body. */
export function bodyOf(request: unknown): Parsed {
  const holder = request as Stashing;
  const body = holder[BODY] ?? holder.raw?.[BODY];
  if (body) return body.parsed();
  const { headers = {} } = holder as Partial<IncomingMessage>;
  const parsed = holder.body === undefined && holder.raw ? holder.raw : holder;
  return hostParsedBody(parsed, headers['content-type'], (bytes) => parse(headers, bytes));
}

/** Whether the request's body was read here. */
export const hasStashed = (request: unknown): boolean => (request as Stashing)[BODY] !== undefined;

/** Bytes up to which a body is parsed before the guards run: that takes less time than reading it. */
const SMALL = 16 * 1024;

/**
 * Gives a request the `body` that the host's guards expect from a parser. A large one is parsed at the first access. A body
 * that cannot be read or parsed is `{}` there: the failure is answered later, inside the route, where guards, CORS and the
 * module's own error filter apply.
 */
export function showBody(request: { body?: unknown }, raw: unknown): void {
  if ((raw as Stashing)[BODY]!.isSmall) request.body = shownOf(raw);
  else showLater(request, raw);
}

function shownOf(raw: unknown): Parsed {
  try {
    return bodyOf(raw);
  } catch {
    return {};
  }
}

/** An accessor makes each request an object of its own kind, which slows down all that use it. */
function showLater(request: { body?: unknown }, raw: unknown): void {
  const shown = { enumerable: true, configurable: true };
  Object.defineProperty(request, 'body', {
    ...shown,
    get: () => shownOf(raw),
    set: (value: unknown) => Object.defineProperty(request, 'body', { ...shown, writable: true, value }),
  });
}

/** A body, or the error of reading it. It is parsed at most once. */
class Body {
  private value?: Parsed;
  readonly isSmall: boolean;

  constructor(
    private readonly headers: IncomingMessage['headers'],
    private bytes: Buffer | undefined,
    private error?: unknown,
  ) {
    this.isSmall = bytes === undefined || bytes.length <= SMALL;
  }

  parsed(): Parsed {
    if (this.bytes) {
      try {
        this.value = parse(this.headers, this.bytes);
      } catch (error) {
        this.error = error;
      }
      this.bytes = undefined;
    }
    if (this.value) return this.value;
    throw this.error;
  }
}

type Parser = (bytes: Buffer, contentType: string) => Parsed;
const PARSERS = new Map<string, Parser>([
  ['application/json', parseJson],
  ['application/x-www-form-urlencoded', parseUrlencoded],
  ['multipart/form-data', parseMultipart],
]);

function parse(headers: IncomingMessage['headers'], bytes: Buffer): Parsed {
  const { 'content-encoding': encoding, 'content-type': contentType = '' } = headers;
  if (bytes.length === 0) return {};
  if (encoding && encoding.toLowerCase() !== 'identity')
    throw unsupported(`Content-Encoding ${encoding} is not supported; send the body without encoding`);
  const [type = ''] = contentType.split(';');
  const charset = /;\s*charset="?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase();
  if (charset && charset !== 'utf-8' && charset !== 'utf8')
    throw unsupported(`charset ${charset} is not supported; send UTF-8`);
  const parser = PARSERS.get(type.trim().toLowerCase());
  if (!parser)
    throw unsupported(
      'the media type is not supported; send application/json, application/x-www-form-urlencoded or multipart/form-data',
    );
  return parser(bytes, contentType);
}
