import type { StoredColumn } from '../../contract/column.js';
import type { Engine } from '../../database/dialects/dialect.js';

export { DIGEST, ID } from '../../contract/column.js';

export type Column = StoredColumn & {
  /**
   * The expression that the column stands for. PostgreSQL and SQLite index the expression and have no such column. On
   * MySQL triggers maintain it, because TypeORM cannot read a table with a generated column that TypeORM did not
   * create.
   */
  derived?: (engine: Engine, is: (status: number) => string) => string;
};

export interface Index {
  on: readonly string[];
  /** PostgreSQL: the column that it orders byte by byte, not by the database's collation. */
  byBytes?: string;
  /** The rows that it covers. On MySQL, without partial indexes, it covers all rows. */
  where?: {
    column: string;
    is: number | 'not null';
    /** And none of these values in another column. */
    neither?: { column: string; of: readonly number[] };
  };
  /** The engine that does not need it. */
  except?: Engine;
  /** It is made only where owners may take turns, and left where it is. */
  forTurns?: boolean;
}

export interface Table {
  name: string;
  /** What it holds, for people. */
  holds: string;
  /** In the order of a new table. */
  columns: Record<string, Column>;
  /** @defaultValue ['id'] */
  primaryKey?: readonly string[];
  /** End of the index's name -> index: `due` of table `tasks` is `tasks_due`. */
  indexes: Record<string, Index>;
}

/** A table next to the task table, for what is not part of a task: `keys` next to `tasks` is `tasks_keys`. */
export type SideTable = Omit<Table, 'name'> & { suffix: string };

export const tableBeside = (table: string, { suffix, ...declaration }: SideTable): Table => ({
  ...declaration,
  name: `${table}_${suffix}`,
});

/** Whether the column compares byte for byte. */
export const isExact = (column: Column): column is Column & { length: number } =>
  column.kind === 'id' || column.kind === 'digest' || column.kind === 'key';

/** Refuses to use a table of that name that is not ours. */
export function assertDeclared({ name, holds, columns }: Table, present: string[]): void {
  const originals = Object.keys(columns).filter((column) => columns[column]!.original === 'always');
  const isAdoptable = originals.length > 0;
  const missing = (isAdoptable ? originals : Object.keys(columns)).filter((column) => !present.includes(column));
  if (missing.length === 0) return;
  const [what, remedy] = isAdoptable
    ? ['is no task table', 'Give the queue a table of its own with the option `table`.']
    : [`is not the queue's table of ${holds}`, 'Rename it, or give the queue another `table`.'];
  throw new Error(`A table \`${name}\` exists and ${what}: it has no column ${missing.join(', ')}. ${remedy}`);
}
