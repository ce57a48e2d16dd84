/** What a column is set to, or a Date for one of the queue's own time columns. */
export type Cell = unknown;

/** Rows to be written that name the same columns; a column's cells are all null, or none is. */
export interface Rows {
  columns: string[];
  rows: { id: string; cells: Cell[] }[];
}

/** One row to be written. */
export interface RowToWrite {
  id: string;
  cells: [column: string, cell: Cell][];
}

/** Characters of one statement, but for a row that is longer: MySQL takes 16 MB in a packet, or what it is set to. */
const STATEMENT_CHARS = 1_000_000;
/** Rows of one statement: PostgreSQL takes 65,535 parameters. */
const STATEMENT_ROWS = 500;

/** Puts rows together that one statement of bounded length can write. */
export function* alike(rows: RowToWrite[]): Generator<Rows> {
  const open = new Map<string, Rows & { chars: number }>();
  for (const { id, cells } of rows) {
    let kind = '';
    let chars = 0;
    for (const [column, cell] of cells) {
      kind += cell === null ? `${column}=null ` : `${column} `;
      if (typeof cell === 'string') chars += cell.length;
    }
    let group = open.get(kind);
    if (!group || group.chars + chars > STATEMENT_CHARS || group.rows.length === STATEMENT_ROWS) {
      if (group) yield group;
      group = { columns: cells.map(([column]) => column), rows: [], chars: 0 };
      open.set(kind, group);
    }
    group.rows.push({ id, cells: cells.map(([, cell]) => cell) });
    group.chars += chars;
  }
  yield* open.values();
}

export const allSame = ([first, ...others]: Cell[]): boolean =>
  others.every(
    (cell) => cell === first || (cell instanceof Date && first instanceof Date && cell.getTime() === first.getTime()),
  );
