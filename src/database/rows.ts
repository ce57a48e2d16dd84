/** The value of a column. A Date for one of the queue's own time columns. */
export type Cell = unknown;

/** Rows to write with the same columns. The cells of a column are either all null or all not null. */
export interface Rows {
  columns: string[];
  rows: { id: string; cells: Cell[] }[];
}

/** One row to write. */
export interface RowToWrite {
  id: string;
  cells: [column: string, cell: Cell][];
}

/**
 * The most characters of one statement; a single row may be longer. A character takes at most 3 bytes, so a server with
 * a max_allowed_packet of 1 MiB, a common setting, accepts every statement.
 */
const STATEMENT_CHARS = 300_000;
/** The most rows of one statement: PostgreSQL accepts 65,535 parameters. */
const STATEMENT_ROWS = 500;

/** Groups rows that one statement of bounded length can write. */
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
