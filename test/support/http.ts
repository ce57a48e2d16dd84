/** An answer, read whole. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON body, or undefined where there is none. */
  body: any;
}

export interface CallOptions {
  json?: unknown;
  form?: Record<string, string> | [string, string][];
  multipart?: Record<string, string> | [string, string][];
  /** A body as it is; give its content-type in `headers`. */
  raw?: string | Buffer;
  query?: Record<string, string | number> | [string, string][];
  headers?: Record<string, string>;
}

/** One request over the real network stack. */
export async function call(method: string, url: string, options: CallOptions = {}): Promise<Answer> {
  const address = new URL(url);
  const query = Array.isArray(options.query) ? options.query : Object.entries(options.query ?? {});
  for (const [name, value] of query) address.searchParams.append(name, String(value));
  const headers: Record<string, string> = { ...options.headers };
  let body: string | FormData | URLSearchParams | Uint8Array | undefined;
  if (options.json !== undefined) {
    body = JSON.stringify(options.json);
    headers['content-type'] ??= 'application/json';
  } else if (options.form) body = new URLSearchParams(options.form);
  else if (options.multipart) {
    body = new FormData();
    const fields = Array.isArray(options.multipart) ? options.multipart : Object.entries(options.multipart);
    for (const [name, value] of fields) body.append(name, value);
  } else if (options.raw !== undefined)
    body = typeof options.raw === 'string' ? options.raw : new Uint8Array(options.raw);
  const response = await fetch(address, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
