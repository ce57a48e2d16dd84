import { Choice, FilterChip } from '../../components/chip.js';
import { wholeTime } from '../../components/time.js';
import { setQuery } from '../../location.js';
import { statusName, statusOf, STATUSES } from '../../status.js';
import { plural, t } from '../../words/index.js';
import { CreatedFilter } from './created-filter.js';
import type { TaskRow } from './feed.js';
import { type Condition, CONDITIONS, idsOf, NAMES } from './filter.js';
import { FilterSearch } from './filter-search.js';

type Query = Readonly<Record<string, string>>;

/** The conditions of the list. They stand in the address, so that a link shows a colleague the same. */
export function FilterBar({ query, rows }: { query: Query; rows: readonly TaskRow[] }) {
  const chips = NAMES.filter((name) => name !== 'status' && (query[name] ?? '') !== '');
  const { status = '' } = query;
  const choices = STATUSES.map((one) => [String(one.code), statusName(one)] as const);
  const isKnown = status === '' || choices.some(([code]) => code === status);
  return (
    <>
      <div class="toolbar">
        <FilterSearch rows={rows} />
        <CreatedFilter query={query} />
      </div>
      <div class="toolbar">
        <Choice
          label={t('task.status')}
          value={status}
          choices={[['', t('common.all')], ...choices, ...(isKnown ? [] : [[status, status] as const])]}
          onChoose={(code) => setQuery({ status: code })}
        />
        {chips.map((name) => (
          <FilterChip
            key={name}
            name={t(CONDITIONS[name])}
            value={shown(name, query[name]!)}
            onRemove={() => setQuery({ [name]: undefined })}
          />
        ))}
        {chips.length > 0 && (
          <button class="button is-quiet is-small" type="button" onClick={clear}>
            {t('tasks.clear')}
          </button>
        )}
      </div>
    </>
  );
}

const clear = (): void => setQuery(Object.fromEntries(NAMES.map((name) => [name, undefined])));

/** A value in words. */
export function shown(name: Condition, text: string): string {
  if (name === 'status') return statusName(statusOf(Number(text)));
  if (name === 'ids') return idsOf(text).length === 1 ? text : plural('tasks.ids.count', idsOf(text).length);
  const isTime = (name === 'createdFrom' || name === 'createdTo') && !Number.isNaN(Date.parse(text));
  return isTime ? wholeTime(text) : text;
}
