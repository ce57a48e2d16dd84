import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Polled } from '../api/use-poll.js';
import { Loaded } from './state.js';
import { type Column, Table } from './table.js';

/** A page of a list, as the server answers it. */
export interface Listed<Row> {
  list: readonly Row[];
  nextCursor: string | null;
}

export interface ListPageProps<Row> {
  title: string;
  of: Polled<Listed<Row>>;
  /** The conditions, above the table. */
  toolbar?: ComponentChildren;
  /** Stands in place of the table if there is nothing. Without it there is a table without rows. */
  empty: ComponentChildren;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  onOpen?: ((row: Row) => void) | undefined;
  /** Shows all of the row that was opened, in place of `onOpen`. */
  dialog?: ((row: Row, onClose: () => void) => ComponentChildren) | undefined;
  /** What is said below the table. */
  foot?: (page: Listed<Row>) => ComponentChildren;
}

/** A page of operators with one list: its title, conditions, the table, and all of one row. */
export function ListPage<Row>({ title, of, toolbar, empty, columns, keyOf, onOpen, dialog, foot }: ListPageProps<Row>) {
  const [openKey, setOpenKey] = useState<string | undefined>(undefined);
  const open = of.data?.list.find((row) => keyOf(row) === openKey);
  return (
    <>
      <h1>{title}</h1>
      {toolbar}
      <Loaded of={of}>
        {(page) => (
          <>
            {empty && page.list.length === 0 && page.nextCursor === null ? (
              empty
            ) : (
              <Table
                label={title}
                columns={columns}
                rows={page.list}
                keyOf={keyOf}
                onOpen={dialog ? (row) => setOpenKey(keyOf(row)) : onOpen}
              />
            )}
            {foot?.(page)}
          </>
        )}
      </Loaded>
      {open && dialog?.(open, () => setOpenKey(undefined))}
    </>
  );
}
