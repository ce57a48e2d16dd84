import { useRef, useState } from 'preact/hooks';
import { useKeys } from '../../components/keys.js';
import { go, setQuery } from '../../location.js';
import { t } from '../../words/index.js';
import type { TaskRow } from './feed.js';
import { type Condition, CONDITIONS, idsOf } from './filter.js';
import { type Suggestion, suggestionsFor } from './suggestions.js';

/** Rows whose values are known to the search. */
const ROWS = 500;

/** One field for all conditions: the reader types a value, and chooses what it is. */
export function FilterSearch({ rows }: { rows: readonly TaskRow[] }) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  useKeys({ '/': () => input.current?.focus() });
  const suggestions = text === '' ? [] : suggestionsFor(text, knownOf(rows));
  const choose = (one: Suggestion | undefined): void => {
    if (!one) return;
    setText('');
    input.current?.blur();
    if (one.condition === 'open') go(['tasks', one.value]);
    else setQuery({ [one.condition]: one.value });
  };
  const press = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing) return;
    if (by !== undefined && suggestions.length > 0) {
      setActive((active + by + suggestions.length) % suggestions.length);
      event.preventDefault();
    } else if (event.key === 'Enter') choose(suggestions[active]);
    else if (event.key === 'Escape') setText('');
  };
  return (
    <div class="filter-search" role="search" aria-label={t('tasks.search')}>
      <input
        ref={input}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-label={t('tasks.search')}
        aria-expanded={suggestions.length > 0}
        aria-controls="filter-suggestions"
        aria-autocomplete="list"
        aria-activedescendant={suggestions.length > 0 ? `suggestion-${active}` : undefined}
        placeholder={`/ ${t('tasks.search')}`}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={press}
        onBlur={() => setText('')}
      />
      <ul id="filter-suggestions" role="listbox" aria-label={t('tasks.search')} hidden={suggestions.length === 0}>
        {suggestions.map((one, index) => (
          <li
            key={`${one.condition} ${one.value}`}
            id={`suggestion-${index}`}
            role="option"
            aria-selected={index === active}
            // The field keeps the focus until the click is over.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(one)}
          >
            {nameOf(one)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function nameOf({ condition, value }: Suggestion) {
  if (condition === 'open') return t('tasks.open', { id: value });
  const shown = condition === 'ids' ? String(idsOf(value).length) : value;
  return (
    <>
      <span class="quiet">{t(CONDITIONS[condition])}:</span> {shown}
    </>
  );
}

function knownOf(rows: readonly TaskRow[]): Partial<Record<Condition, string[]>> {
  const few = rows.slice(0, ROWS);
  const of = (get: (row: TaskRow) => string | null): string[] =>
    [...new Set(few.map(get))].filter((value): value is string => value !== null && value !== '');
  return {
    service: of(({ service }) => service),
    userId: of(({ userId }) => userId),
    workerId: of(({ workerId }) => workerId),
    group: of(({ group }) => group),
  };
}
