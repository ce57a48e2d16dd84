import type { ComponentChildren } from 'preact';
import { mayChange } from '../api/session.js';
import { t } from '../words/index.js';
import type { Column } from './table.js';

/** The column with what can be done to a row. There is none for who may only read. */
export const actionColumn = <Row,>(cell: (row: Row) => ComponentChildren): Column<Row>[] =>
  mayChange() ? [{ key: 'action', name: t('table.actions'), cell }] : [];
