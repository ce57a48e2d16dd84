import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import busboy from 'busboy';
import { TaskError } from '../contract/errors.js';
import { invalid } from '../core/invalid.js';

/** Parameters by name, before any validation. */
export type Input = Record<string, unknown>;

/** Most fields of a form or of one JSON object: `ids[]` a thousand times, and some. */
const MAX_FIELDS = 1100;
/** Most fields and nested values of a JSON body: a thousand tasks, or a hundred reports. */
const MAX_VALUES = 40_000;
/** Bytes of a refused body that are read and thrown away, so that the client gets its answer and keeps its connection. */
const MAX_DRAIN = 64 * 1024 * 1024;

const BODY = Symbol('softdd.task.body');

/** What the hook read of a request: its parameters, or why there are none. */
interface StashedBody {
  value?: Input | Input[];
  error?: unknown;
}
type Stashing = { [BODY]?: StashedBody; raw?: Stashing; body?: unknown };

/**
 * Reads a request's body and keeps it, or the failure, with the request: it is answered later, inside the route, where
 * guards, CORS and the module's own error filter apply. Answers what a host's own parsers would have set.
 */
export async function stashBody(request: IncomingMessage, limit: number): Promise<Input | Input[] | undefined> {
  const stash: StashedBody = {};
  try {
    stash.value = await readBody(request, limit);
  } catch (error) {
    stash.error = error;
  }
  (request as Stashing)[BODY] = stash;
  return stash.value;
}

/** The parameters that a request's body carries, or a list of them; throws what reading it threw. */
export function bodyOf(request: unknown): Input | Input[] {
  const holder = request as Stashing;
  const stash = holder[BODY] ?? holder.raw?.[BODY];
  if (stash?.error !== undefined) throw stash.error;
  if (stash?.value) return stash.value;
  // The host had read the body before us (a serverless platform does): what it made of it counts.
  const parsed = holder.body;
  return typeof parsed === 'object' && parsed !== null ? inputOf(parsed) : {};
}

async function readBody(request: IncomingMessage, limit: number): Promise<Input | Input[]> {
  const encoding = request.headers['content-encoding'];
  const bytes = await collect(request, limit);
  if (bytes.length === 0) return {};
  if (encoding && encoding.toLowerCase() !== 'identity')
    throw unsupported(`Content-Encoding ${encoding} is not supported; send the body as it is`);
  const contentType = request.headers['content-type'] ?? '';
  const [type = ''] = contentType.split(';');
  const charset = /;\s*charset="?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase();
  if (charset && charset !== 'utf-8' && charset !== 'utf8') throw unsupported('send UTF-8');
  const parse = PARSERS.get(type.trim().toLowerCase());
  if (!parse) throw unsupported('send application/json, application/x-www-form-urlencoded or multipart/form-data');
  const input = await parse(bytes, request);
  return input;
}

type Parsed = Input | Input[];
const PARSERS = new Map<string, (bytes: Buffer, request: IncomingMessage) => Parsed | Promise<Parsed>>([
  ['application/json', parseJson],
  ['application/x-www-form-urlencoded', parseUrlencoded],
  ['multipart/form-data', parseMultipart],
]);

/** The whole body. Past the limit the rest is read and dropped: answering early would cut off a client still sending. */
function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (request.destroyed) return reject(malformed('ended before its length'));
    const bytes = new Bytes(limit);
    request.on('data', (chunk: Buffer) => {
      bytes.add(chunk);
      if (bytes.size > limit + MAX_DRAIN) request.destroy();
    });
    request.on('end', () => {
      if (bytes.size <= limit) resolve(bytes.value);
      else reject(tooLarge('body', 'bodyLimit', `must be at most ${limit} bytes`));
    });
    request.on('error', reject);
    request.on('close', () => request.readableEnded || reject(malformed('ended before its length')));
  });
}

/**
 * Bytes as they come in. A body of one chunk is that chunk; more are copied into one buffer: a million chunks of one
 * byte would cost a hundred times their size.
 */
class Bytes {
  /** Of all that came, what was dropped past the limit included. */
  size = 0;
  private buffer: Buffer = NOTHING;

  constructor(private readonly limit: number) {}

  get value(): Buffer {
    return this.buffer.subarray(0, this.size);
  }

  add(chunk: Buffer): void {
    const end = this.size + chunk.length;
    if (end <= this.limit) {
      if (this.size === 0) this.buffer = chunk;
      else {
        if (end > this.buffer.length) {
          const larger = Buffer.allocUnsafe(Math.min(Math.max(end, this.buffer.length * 2, 4096), this.limit));
          this.buffer.copy(larger, 0, 0, this.size);
          this.buffer = larger;
        }
        chunk.copy(this.buffer, this.size);
      }
    }
    this.size = end;
  }
}
const NOTHING = Buffer.alloc(0);

function parseJson(bytes: Buffer): Input | Input[] {
  if (!isUtf8(bytes)) throw malformed('must be UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    if (error instanceof RangeError) throw malformed('is nested too deeply');
    throw malformed(`must be JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null) throw malformed('must be a JSON object');
  checkShape(value);
  return inputOf(value);
}

function inputOf(value: object): Input | Input[] {
  if (!Array.isArray(value)) return dropNull(value as Input);
  return (value as unknown[]).map((item, index) => {
    if (typeof item === 'object' && item !== null && !Array.isArray(item)) return dropNull(item as Input);
    throw invalid([{ field: `[${index}]`, rule: 'isObject', msg: `[${index}] must be a JSON object` }]);
  });
}

/**
 * Bounds the properties and nested values of a JSON body: what handles an object later takes time by the square of its
 * properties. A key that could reach a prototype is refused wherever it stands.
 */
function checkShape(value: object): void {
  const open: object[] = [value];
  let values = 0;
  for (let container = open.pop(); container; container = open.pop()) {
    const names = Array.isArray(container) ? [] : Object.keys(container);
    if (names.length > MAX_FIELDS) throw tooLarge('body', 'maxFields', `must have at most ${MAX_FIELDS} fields`);
    values += names.length;
    names.forEach(forbidProto);
    for (const inner of Object.values(container) as unknown[]) {
      if (typeof inner !== 'object' || inner === null) continue;
      values += 1;
      open.push(inner);
      if (values > MAX_VALUES) break;
    }
    if (values > MAX_VALUES) throw tooLarge('body', 'maxFields', `must have at most ${MAX_VALUES} values`);
  }
}

/** Clients such as curl send UTF-8 as it is, without percent-encoding it. */
function parseUrlencoded(bytes: Buffer): Input {
  if (!isUtf8(bytes)) throw malformed('must be UTF-8');
  return parseForm(bytes.toString(), 'body');
}

/** `name=value&…`, of a body or a query. Empty values count as absent, and `ids[]=`, `ids[0]=` as lists, as in PHP. */
export function parseForm(text: string, field: 'body' | 'query'): Input {
  const form = new FormInput();
  const pairs = text.split('&').filter((pair) => pair !== '');
  if (pairs.length > MAX_FIELDS) throw tooLarge(field, 'maxFields', `must have at most ${MAX_FIELDS} fields`);
  for (const pair of pairs) {
    const [name = '', ...value] = pair.split('=');
    try {
      form.add(decode(name), decode(value.join('=')));
    } catch (error) {
      if (error instanceof TaskError) throw error;
      throw invalid([{ field, rule: 'encoding', msg: `${field} must be percent-encoded UTF-8` }]);
    }
  }
  return form.input;
}

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

function parseMultipart(bytes: Buffer, request: IncomingMessage): Promise<Input> {
  return new Promise((resolve, reject) => {
    const form = new FormInput();
    let parser: busboy.Busboy;
    try {
      parser = busboy({
        headers: request.headers,
        defParamCharset: 'utf8',
        limits: { fields: MAX_FIELDS, fieldSize: bytes.length, fieldNameSize: 256 },
      });
    } catch (error) {
      return reject(malformed((error as Error).message));
    }
    parser.on('file', (_name, stream) => {
      stream.resume();
      reject(unsupported('files are not taken; send text fields, e.g. the id of the file in your storage'));
    });
    parser.on('field', (name, value) => {
      try {
        form.add(name, value);
      } catch (error) {
        reject(error as Error);
      }
    });
    parser.on('fieldsLimit', () => reject(tooLarge('body', 'maxFields', `must have at most ${MAX_FIELDS} fields`)));
    parser.on('error', (error) => reject(malformed(`must be multipart/form-data: ${(error as Error).message}`)));
    parser.on('close', () => (isUtf8(bytes) ? resolve(form.input) : reject(malformed('must be UTF-8'))));
    parser.end(bytes);
  });
}

/** Fields of a form as they come in. */
class FormInput {
  readonly input: Input = Object.create(null) as Input;

  add(name: string, value: string): void {
    const [, base = name] = (name.endsWith(']') && /^(.+)\[\d*\]$/.exec(name)) || [];
    forbidProto(base);
    if (value === '') return;
    const known = this.input[base];
    if (base !== name) this.input[base] = Array.isArray(known) ? [...(known as unknown[]), value] : [value];
    else this.input[name] = known === undefined ? value : [known, value].flat();
  }
}

function forbidProto(name: string): void {
  if (name === '__proto__')
    throw invalid([{ field: '__proto__', rule: 'forbidden', msg: '__proto__ is not a name for a field' }]);
}

/** null means absent, as it did to the original. */
const dropNull = (input: Input): Input =>
  Object.values(input).includes(null)
    ? Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null))
    : input;

const malformed = (msg: string): TaskError => invalid([{ field: 'body', rule: 'malformed', msg: `body ${msg}` }]);
const unsupported = (msg: string): TaskError =>
  new TaskError('UNSUPPORTED_MEDIA_TYPE', [{ field: 'body', rule: 'mediaType', msg }]);
const tooLarge = (field: string, rule: string, msg: string): TaskError =>
  new TaskError('TOO_LARGE', [{ field, rule, msg: `${field} ${msg}` }]);
