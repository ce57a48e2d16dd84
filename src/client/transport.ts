import { asError, problemsOf, TaskApiError } from './errors.js';
import { aborted, backoff, pause, timerMs } from './pause.js';

export interface TransportOptions {
  /** The address of the queue, such as `https://tasks.example.com`: the part before `/api/…`. */
  baseUrl: string;
  /** Bearer token of a user or a worker. A function is called before each request. */
  token?: string | (() => string | Promise<string>);
  /** More headers for each request. */
  headers?: Record<string, string>;
  /** Seconds that a request may take. @defaultValue 10 */
  timeout?: number;
  /** How often a request is repeated after a broken connection, 429, 502, 503 or 504. @defaultValue 4 */
  retries?: number;
  /** @defaultValue globalThis.fetch */
  fetch?: typeof fetch;
}

/** How one request is sent. */
export interface RequestOptions {
  /** Cancels the request. */
  signal?: AbortSignal | undefined;
  /** Replaces the client's timeout. */
  timeout?: number | undefined;
  retries?: number | undefined;
}

export interface TransportRequest extends RequestOptions {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: object;
  body?: unknown;
  idempotencyKey?: string;
  headers?: Record<string, string>;
  /** Twice might do harm: repeated only if the queue has surely done nothing. */
  once?: boolean;
  /** Called with the headers of an answer. */
  heard?: (headers: Headers) => void;
}

/** Sends requests until they are answered. Most may be repeated: they have a key or a token, or change nothing. */
export class Transport {
  /** Seconds that a request may take, if it does not say. */
  readonly timeout: number;
  private readonly base: string;

  constructor(private readonly options: TransportOptions) {
    if (!/^https?:\/\/./.test(options.baseUrl ?? ''))
      throw new TypeError(`baseUrl must be an http:// or https:// URL, not ${JSON.stringify(options.baseUrl)}`);
    this.timeout = options.timeout ?? 10;
    this.base = options.baseUrl.replace(/\/+$/, '');
  }

  /** The `data` of the answer. Throws a TaskApiError for an error or no answer, and `signal.reason` once aborted. */
  async send<T>(request: TransportRequest): Promise<T> {
    const { signal, retries = this.options.retries ?? 4 } = request;
    for (let failures = 1; ; failures++) {
      signal?.throwIfAborted();
      try {
        return await this.once<T>(request);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof TaskApiError && error.retryable) || failures > retries) throw error;
        if (request.once && !isUndone(error)) throw error;
        await pause(backoff(failures, error.retryAfter), signal);
      }
    }
  }

  /** Opens a stream of events, and repeats nothing. Resolves once the stream begins. */
  open(request: TransportRequest): Promise<Response> {
    return this.once(request, async (response) => {
      if (response.ok && response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
      dataOf(response, await response.text(), `${request.method} ${request.path}`);
      throw new TaskApiError(`${request.method} ${request.path}: the answer is no stream of events`, {
        httpStatus: response.status,
      });
    });
  }

  private async once<T>(
    request: TransportRequest,
    read = async (response: Response): Promise<T> => {
      const data = dataOf<T>(response, await response.text(), `${request.method} ${request.path}`);
      request.heard?.(response.headers);
      return data;
    },
  ): Promise<T> {
    const { method, path, signal, timeout: seconds = this.timeout } = request;
    const given = new AbortController();
    const giveUp = (): void => given.abort(signal?.reason);
    const timer = setTimeout(() => given.abort(new Error(`no answer within ${seconds} s`)), timerMs(seconds * 1000));
    signal?.addEventListener('abort', giveUp);
    try {
      const over = aborted(given.signal).then(() => Promise.reject(given.signal.reason as Error));
      // Neither `token` nor `fetch` has to obey the signal.
      return await Promise.race([this.exchange(request, given.signal).then(read), over]);
    } catch (thrown) {
      if (thrown instanceof TaskApiError) throw thrown;
      const cause = asError(thrown);
      throw new TaskApiError(`${method} ${this.base}${path}: ${reasonOf(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  private async exchange(request: TransportRequest, signal: AbortSignal): Promise<Response> {
    const { method, path, query, body, idempotencyKey } = request;
    const { token, headers, fetch: send = globalThis.fetch } = this.options;
    const bearer = typeof token === 'function' ? await token() : token;
    return send(this.base + path + queryText(query), {
      method,
      // If fetch followed a redirect, a POST would become a GET.
      redirect: 'manual',
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        ...headers,
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
  }
}

const queryText = (query: object = {}): string => {
  const text = new URLSearchParams(
    Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [name, Array.isArray(value) ? JSON.stringify(value) : String(value)]),
  ).toString();
  return text && `?${text}`;
};

interface Envelope {
  status: number;
  data: { code?: unknown; msg?: unknown; detail?: unknown };
}

/** Codes of a connection that was never made. */
const NO_CONNECTION = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

/** Whether the queue has surely done nothing. After a 503 it may have: its database may have failed in the commit. */
function isUndone({ httpStatus, code: failure, cause }: TaskApiError): boolean {
  if (httpStatus !== 0) return httpStatus === 429 && failure !== 0;
  const { code = '' } = ((cause as Error | undefined)?.cause ?? {}) as { code?: string };
  return NO_CONNECTION.includes(code);
}

function dataOf<T>(response: Response, text: string, request: string): T {
  // Browsers hide the details of a redirect.
  const httpStatus = response.type === 'opaqueredirect' ? 302 : response.status;
  const envelope = parse(text);
  if (response.ok && envelope?.status === 1) return envelope.data as T;
  const retryAfter = retryAfterOf(response.headers);
  const { code, msg, detail } = envelope?.data ?? {};
  if (envelope?.status === 0 && typeof code === 'number')
    throw new TaskApiError(`${request}: HTTP ${httpStatus}: ${String(msg)}${problemsOf(detail)}`, {
      code,
      httpStatus,
      detail,
      retryAfter,
    });
  const to = response.headers.get('location');
  const what =
    to === null ? `not an answer of the queue: ${JSON.stringify(text.slice(0, 200))}` : `a redirect to ${to}`;
  const strange = `${request}: HTTP ${httpStatus}, ${what}. Check baseUrl.`;
  throw new TaskApiError(strange, { httpStatus, retryAfter });
}

/** Seconds of Retry-After. A date is read by the server's clock, if the answer shows it. */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? '';
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  const seconds = /^\s*\d/.test(text) ? Number(text) : Math.max((Date.parse(text) - now) / 1000, 0);
  return Number.isNaN(seconds) ? undefined : seconds;
}

function parse(text: string): Envelope | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Envelope) : undefined;
  } catch {
    return undefined;
  }
}

/** `fetch failed` alone says nothing, so the message gets its cause. */
function reasonOf({ message, cause }: Error): string {
  const { message: reason, code } = (cause ?? {}) as { message?: string; code?: string };
  return reason || code || message;
}
