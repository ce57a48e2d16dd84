import { signal } from '@preact/signals';
import { hashOf, parseHash, type Route } from './router.js';

/** Where the page is now. */
export const route = signal<Route>(parseHash(location.hash));
addEventListener('hashchange', () => {
  route.value = parseHash(location.hash);
});

export const go = (path: readonly string[], query?: Readonly<Record<string, string | undefined>>): void => {
  location.hash = hashOf(path, query);
};

/** Changes conditions of this page. An empty text removes one. No step back in the history for each letter. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { path, query } = route.value;
  history.replaceState(history.state, '', hashOf(path, { ...query, ...changes }));
  route.value = parseHash(location.hash);
}
