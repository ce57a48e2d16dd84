import { useRef } from 'preact/hooks';
import { range } from './range.js';

interface SelectionProps<Row> {
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  selected: ReadonlySet<string>;
  onSelect: ((selected: ReadonlySet<string>) => void) | undefined;
}

interface Selection {
  /** Selects a row or no longer. With `isRange` the same happens to all rows from the one before to this one. */
  toggle(key: string, isRange?: boolean): void;
}

/** Selects rows, one or a range at a time. */
export function useSelection<Row>({ rows, keyOf, selected, onSelect }: SelectionProps<Row>): Selection {
  const last = useRef<string | undefined>(undefined);
  return {
    toggle(key, isRange = false) {
      const rest = new Set(selected);
      const isOn = !rest.has(key);
      for (const one of isRange ? range(rows.map(keyOf), last.current, key) : [key])
        if (isOn) rest.add(one);
        else rest.delete(one);
      last.current = key;
      onSelect?.(rest);
    },
  };
}
