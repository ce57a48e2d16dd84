/** Where the page is. It stands in the hash, so that the server needs no path of it, and a link shows a colleague the same. */
export interface Route {
  /** `['tasks', id]`; empty: the first page. */
  path: string[];
  query: Record<string, string>;
}

/** Reads `#/tasks/some-id?status=-10`. */
export function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  return {
    path: path.split('/').filter(Boolean).map(decode),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** Writes it. What is empty is left out. */
export function hashOf(path: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined && one[1] !== '');
  const text = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text && `?${text}`}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
