/** The value of a column. A Date for one of the queue's own time columns. */
export type Cell = unknown;

/** Rows to write with the same columns. The cells of a column are either all null or all not null. */
export interface Rows {
  columns: string[];
  rows: { id: string; cells: Cell[] }[];
}

/**
 * The columns of a row to write, and which of them are null. Rows with the same ones have the same shape, so they are told
 * apart without looking at their columns. Shapes are made once: each knows those that have one column more.
 */
export class Shape {
  private readonly next: (Shape | undefined)[] = [];

  constructor(readonly columns: string[] = []) {}

  /** With one more column. `place`: a number of that column, always the same one. */
  and(place: number, column: string, isNull: boolean): Shape {
    const index = place * 2 + Number(isNull);
    return (this.next[index] ??= new Shape([...this.columns, column]));
  }
}

/** One row to write: a cell for each column of its shape. */
export interface RowToWrite {
  id: string;
  shape: Shape;
  cells: Cell[];
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
  const open = new Map<Shape, Rows & { chars: number }>();
  for (const { id, shape, cells } of rows) {
    let chars = 0;
    for (const cell of cells) if (typeof cell === 'string') chars += cell.length;
    let group = open.get(shape);
    if (!group || group.chars + chars > STATEMENT_CHARS || group.rows.length === STATEMENT_ROWS) {
      if (group) yield group;
      group = { columns: shape.columns, rows: [], chars: 0 };
      open.set(shape, group);
    }
    group.rows.push({ id, cells });
    group.chars += chars;
  }
  yield* open.values();
}

export const allSame = ([first, ...others]: Cell[]): boolean =>
  others.every(
    (cell) => cell === first || (cell instanceof Date && first instanceof Date && cell.getTime() === first.getTime()),
  );
