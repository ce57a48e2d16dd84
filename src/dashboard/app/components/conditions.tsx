import type { ComponentChildren } from 'preact';
import { setQuery } from '../location.js';
import { t } from '../words/index.js';
import { Choice, FilterChip } from './chip.js';

interface ConditionsProps<T extends string> {
  query: Readonly<Record<string, string>>;
  /** The name, in the address, of the condition that is chosen out of a few. */
  name: string;
  label: string;
  value: T | undefined;
  choices: readonly (readonly [value: T, name: string])[];
  /** Conditions that links set and a click removes: what they are called, by their names in the address. */
  others: Readonly<Record<string, string>>;
  children?: ComponentChildren;
}

/** The conditions of a list, which stand in the address. A change leads back to the first page. */
export function Conditions<T extends string>(props: ConditionsProps<T>) {
  const { query, name, label, value = '', choices, others, children } = props;
  const change = (key: string, to: string | undefined): void => setQuery({ [key]: to, cursor: undefined });
  return (
    <div class="toolbar">
      <Choice
        label={label}
        value={value}
        choices={[['', t('common.all')], ...choices]}
        onChoose={(one) => change(name, one)}
      />
      {Object.entries(others).map(
        ([key, called]) =>
          query[key] && (
            <FilterChip key={key} name={called} value={query[key]} onRemove={() => change(key, undefined)} />
          ),
      )}
      {children}
    </div>
  );
}
