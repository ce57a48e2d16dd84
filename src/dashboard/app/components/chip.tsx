import type { ComponentChildren } from 'preact';
import { statusName, statusOf } from '../status.js';
import { t } from '../words/index.js';

/** A status by its name and its colour. Its integer stands in the tooltip. */
export function StatusChip({ code }: { code: number }) {
  const status = statusOf(code);
  return (
    <span class={`chip ${status.className}`} title={String(code)}>
      {statusName(status)}
    </span>
  );
}

export const Chip = ({ children, kind = '' }: { children: ComponentChildren; kind?: string }) => (
  <span class={`chip ${kind}`}>{children}</span>
);

interface FilterChipProps {
  name: string;
  value: string;
  onRemove: () => void;
}

/** A condition of a search, which a click removes. */
export const FilterChip = ({ name, value, onRemove }: FilterChipProps) => (
  <button
    class="chip is-filter"
    type="button"
    onClick={onRemove}
    aria-label={`${name}: ${value} (${t('common.remove', { name })})`}
  >
    {name}: {value} <span aria-hidden="true">×</span>
  </button>
);

interface ChoiceProps<T extends string> {
  label: string;
  choices: readonly (readonly [value: T, name: string])[];
  value: T;
  onChoose: (value: T) => void;
}

/** One of a few, such as the state of callbacks. */
export const Choice = <T extends string>({ label, choices, value, onChoose }: ChoiceProps<T>) => (
  <div class="choice" role="group" aria-label={label}>
    {choices.map(([choice, name]) => (
      <button key={choice} type="button" aria-pressed={choice === value} onClick={() => onChoose(choice)}>
        {name}
      </button>
    ))}
  </div>
);
