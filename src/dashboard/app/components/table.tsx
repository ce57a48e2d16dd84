import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../words/index.js';
import { useKeys } from './keys.js';
import { useSelection } from './use-selection.js';
import { ROW, visibleRows } from './visible-rows.js';

export interface Column<Row> {
  key: string;
  name: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the right. */
  isNumber?: boolean;
  /** The class of a width: `is-wide`, `is-narrow`. */
  className?: string;
}

interface TableProps<Row> {
  /** What the table shows, for who does not see it. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Enter, or a click on the row. */
  onOpen?: ((row: Row) => void) | undefined;
  /** The keys of the selected rows. Without `onSelect` there are no boxes. */
  selected?: ReadonlySet<string>;
  onSelect?: ((selected: ReadonlySet<string>) => void) | undefined;
  /** Every row is selected, those that are not read yet, too. */
  isAllSelected?: boolean;
  /** The last rows come into sight: there may be more to read. */
  onEnd?: (() => void) | undefined;
  /** How many rows before the last one `onEnd` is called. */
  ahead?: number;
  /** The rows that are drawn now, which are a few more than those in sight. */
  onSight?: ((rows: readonly Row[]) => void) | undefined;
  /** Where the reader is. The table writes it there, and begins there if it is shown again. */
  place?: TablePlace;
  rowClass?: (row: Row) => string;
}

/** The place of a reader in a table. */
export interface TablePlace {
  top: number;
  active: string | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/** Rows of one height below a header that stays. Only rows in sight are drawn, so that 100,000 cost as much as 30. */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
  onOpen,
  selected = NONE,
  onSelect,
  isAllSelected = false,
  onEnd,
  ahead = 0,
  onSight,
  place,
  rowClass,
}: TableProps<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: place?.top ?? 0, height: 600 });
  const [active, setActive] = useState(place?.active);
  const selection = useSelection({ rows, keyOf, selected, onSelect });
  if (place) place.active = active;
  const measure = (): void => {
    // A table that is being taken away has no place any more.
    if (!box.current?.isConnected) return;
    const { scrollTop: top, clientHeight: height } = box.current;
    if (place) place.top = top;
    setView((old) => (old.top === top && old.height === height ? old : { top, height }));
  };
  useLayoutEffect(() => {
    box.current!.scrollTop = place?.top ?? 0;
    measure();
  }, [place]);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const { first, end, before, after } = visibleRows(rows.length, view.top, view.height);
  useEffect(() => {
    if (end + ahead >= rows.length && rows.length > 0) onEnd?.();
  }, [end, rows.length]);
  useEffect(() => onSight?.(rows.slice(first, end)), [rows, first, end]);

  const move = (by: number): void => {
    if (rows.length === 0) return;
    const now = rows.findIndex((row) => keyOf(row) === active);
    const next = now < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, now + by));
    setActive(keyOf(rows[next]!));
    const element = box.current!;
    // The header covers the first row of the box.
    if (next * ROW < element.scrollTop) element.scrollTop = next * ROW;
    if ((next + 2) * ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = (next + 2) * ROW - element.clientHeight;
  };
  const activeRow = (): Row | undefined => rows.find((row) => keyOf(row) === active);
  const openActive = (): void => {
    const row = activeRow();
    if (row) onOpen?.(row);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ...(onOpen && { Enter: openActive }),
    ...(onSelect && {
      x: () => active !== undefined && selection.toggle(active),
      X: () => active !== undefined && selection.toggle(active, true),
    }),
  });

  const span = columns.length + (onSelect ? 1 : 0);
  const isAll = isAllSelected || (rows.length > 0 && rows.every((row) => selected.has(keyOf(row))));
  return (
    <div class="table-box" ref={box} onScroll={measure} tabIndex={0} role="region" aria-label={label}>
      <table class="table" aria-rowcount={rows.length + 1}>
        <caption class="offscreen">{label}</caption>
        <thead>
          <tr aria-rowindex={1}>
            {onSelect && (
              <th class="is-box" scope="col">
                <input
                  type="checkbox"
                  aria-label={t('table.selectAll')}
                  checked={isAll}
                  onChange={() => onSelect(isAll ? NONE : new Set(rows.map(keyOf)))}
                />
              </th>
            )}
            {columns.map(({ key, name, isNumber, className = '' }) => (
              <th key={key} scope="col" class={`${isNumber ? 'is-number' : ''} ${className}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Gap span={span} height={before} />}
          {rows.slice(first, end).map((row, index) => {
            const key = keyOf(row);
            const isSelected = isAllSelected || selected.has(key);
            const classes = [
              key === active && 'is-active',
              isSelected && 'is-selected',
              onOpen && 'is-link',
              rowClass?.(row),
            ];
            return (
              <tr
                key={key}
                aria-rowindex={first + index + 2}
                class={classes.filter(Boolean).join(' ')}
                onClick={(event) => {
                  setActive(key);
                  if (!(event.target as Element).closest('a, button, input, label')) onOpen?.(row);
                }}
              >
                {onSelect && (
                  <td class="is-box">
                    <input
                      type="checkbox"
                      aria-label={`${t('table.select')} ${key}`}
                      checked={isSelected}
                      onClick={(event) => selection.toggle(key, event.shiftKey)}
                    />
                  </td>
                )}
                {columns.map(({ key: column, cell, isNumber, className = '' }) => (
                  <td key={column} class={`${isNumber ? 'is-number number' : ''} ${className}`}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && <Gap span={span} height={after} />}
        </tbody>
      </table>
    </div>
  );
}

const Gap = ({ span, height }: { span: number; height: number }) => (
  <tr class="gap" aria-hidden="true">
    <td colSpan={span} style={{ height: `${height}px` }} />
  </tr>
);
