import { useRef } from 'preact/hooks';
import { ask } from '../../components/dialog.js';
import { isUtc } from '../../components/time.js';
import { duration } from '../../format/time.js';
import { setQuery } from '../../location.js';
import { language, t } from '../../words/index.js';

const MINUTE = 60_000;
/** Milliseconds back from now. */
const BACK = [15 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE, 7 * 24 * 60 * MINUTE];

/** When the tasks were created: within a time back from now, or between two times. */
export function CreatedFilter({ query }: { query: Readonly<Record<string, string>> }) {
  const values = useRef({ from: '', to: '' });
  const choose = async (choice: string): Promise<void> => {
    if (choice === '') return setQuery({ createdFrom: undefined, createdTo: undefined });
    if (choice !== 'own')
      return setQuery({ createdFrom: new Date(Date.now() - Number(choice)).toISOString(), createdTo: undefined });
    values.current = { from: localText(query.createdFrom), to: localText(query.createdTo) };
    const fields = (
      <>
        {(['from', 'to'] as const).map((end) => (
          <label key={end} class="field">
            <span>
              {t(`tasks.${end}`)} {isUtc() && '(UTC)'}
            </span>
            <input
              type="datetime-local"
              defaultValue={values.current[end]}
              onInput={(event) => (values.current[end] = event.currentTarget.value)}
            />
          </label>
        ))}
      </>
    );
    if (!(await ask({ title: t('tasks.created'), fields, action: t('tasks.show') }))) return;
    setQuery({ createdFrom: isoText(values.current.from), createdTo: isoText(values.current.to) });
  };
  const has = Boolean(query.createdFrom ?? query.createdTo);
  return (
    <label class="field">
      <span>{t('tasks.created')}</span>
      <select
        value={has ? 'own' : ''}
        onChange={(event) => {
          const { value } = event.currentTarget;
          // It shows what holds, whether the reader goes on to choose the times or not.
          event.currentTarget.value = has ? 'own' : '';
          void choose(value);
        }}
      >
        <option value="">{t('tasks.anyTime')}</option>
        {BACK.map((ms) => (
          <option key={ms} value={String(ms)}>
            {t('tasks.last', { time: duration(ms, language.value) })}
          </option>
        ))}
        <option value="own">{t('tasks.between')}</option>
      </select>
    </label>
  );
}

/** What the field of a time shows, in the zone of the page. */
function localText(iso: string | undefined): string {
  const time = Date.parse(iso ?? '');
  if (Number.isNaN(time)) return '';
  const shift = isUtc() ? 0 : new Date(time).getTimezoneOffset() * MINUTE;
  return new Date(time - shift).toISOString().slice(0, 19);
}

function isoText(local: string): string | undefined {
  const time = Date.parse(isUtc() && local !== '' ? `${local}Z` : local);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
