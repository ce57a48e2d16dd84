import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t, type Word } from '../words/index.js';
import { Dialog } from './dialog.js';

type Handlers = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** The newest first: a table in front of a page wins. */
const maps: { current: Handlers }[] = [];
const isShown = signal(false);

/** What the keys do, for the reader. */
const HELP: readonly (readonly [key: string, word: Word])[] = [
  ['/', 'keys.search'],
  ['j', 'keys.down'],
  ['k', 'keys.up'],
  ['Enter', 'keys.open'],
  ['x', 'keys.select'],
  ['Shift x', 'keys.range'],
  ['Esc', 'keys.close'],
  ['?', 'keys.help'],
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
  target.getAttribute('type') !== 'checkbox';

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target)) {
    if (event.key === 'Escape') (event.target as HTMLElement).blur();
    return;
  }
  // A button does what it does on Enter.
  if (event.key === 'Enter' && event.target instanceof Element && event.target.closest('button, a, summary')) return;
  if (document.querySelector('dialog[open]')) return;
  if (event.key === '?') {
    isShown.value = true;
    event.preventDefault();
    return;
  }
  const handler = maps.map(({ current }) => current[event.key]).find((found) => found !== undefined);
  if (!handler) return;
  event.preventDefault();
  handler(event);
});

/** While the component is shown, these keys call these functions. Not while the reader types. */
export function useKeys(handlers: Handlers): void {
  const map = useRef(handlers);
  map.current = handlers;
  useEffect(() => {
    maps.unshift(map);
    return () => {
      maps.splice(maps.indexOf(map), 1);
    };
  }, []);
}

export const showKeys = (): void => {
  isShown.value = true;
};

/** Stands once in the app. */
export function Keys() {
  if (!isShown.value) return null;
  return (
    <Dialog title={t('keys.title')} onClose={() => (isShown.value = false)}>
      <dl class="keys">
        {HELP.map(([key, word]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(word)}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" class="actions">
        <button class="button" type="submit">
          {t('common.close')}
        </button>
      </form>
    </Dialog>
  );
}
