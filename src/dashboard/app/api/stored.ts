import { effect, type Signal, signal } from '@preact/signals';

/** A value that outlives the page: in this tab, or in this browser. A browser that stores nothing keeps it in memory. */
export function stored<T extends string>(key: string, preset: T, where: 'tab' | 'browser' = 'browser'): Signal<T> {
  const name = `softdd-task:${key}`;
  const storage = (): Storage => (where === 'tab' ? sessionStorage : localStorage);
  const value = signal(read() ?? preset);
  effect(() => {
    try {
      if (value.value === preset) storage().removeItem(name);
      else storage().setItem(name, value.value);
    } catch {
      // Storage is switched off.
    }
  });
  return value;

  function read(): T | null {
    try {
      return storage().getItem(name) as T | null;
    } catch {
      return null;
    }
  }
}
