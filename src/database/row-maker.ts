import { madeCode } from './made-code.js';
import type { Row } from './transaction.js';

/** Makes a row of its cells, which stand in the order of the columns. */
export type RowMaker = (cells: readonly unknown[]) => Row;

/** The most lists of columns that are remembered. */
const MOST = 1000;
const known = new Map<string, RowMaker>();

/**
 * The maker of rows with these columns, as code that names them. An object that gets them one by one becomes a
 * dictionary, which takes twice as long to make, and again to read (docs/performance.md). Statements have few different
 * lists of columns, so their makers are remembered.
 */
export function rowMaker(columns: readonly string[]): RowMaker {
  const key = columns.join('\0');
  let maker = known.get(key);
  if (!maker) {
    const cells = columns.map((name, place) => `${JSON.stringify(name)}: cells[${place}]`);
    maker = madeCode<RowMaker>({}, `(cells) => ({ ${cells.join(', ')} })`) ?? loopOver(columns);
    if (known.size >= MOST) known.clear();
    known.set(key, maker);
  }
  return maker;
}

const loopOver =
  (columns: readonly string[]): RowMaker =>
  (cells) => {
    const row: Row = {};
    for (const [place, name] of columns.entries()) row[name] = cells[place];
    return row;
  };
