/** Pixels of a row. The same stands in styles/table.css. */
export const ROW = 36;
/** Rows beyond what is seen, so that scrolling shows none that is missing. */
const MORE = 12;

/** Which rows a list draws: from `first` to before `end`, with so much room before and after them. */
export interface VisibleRows {
  first: number;
  end: number;
  before: number;
  after: number;
}

export function visibleRows(count: number, scrollTop: number, height: number): VisibleRows {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / ROW)) - MORE);
  const end = Math.min(count, Math.ceil((scrollTop + height) / ROW) + MORE);
  return { first, end: Math.max(first, end), before: first * ROW, after: Math.max(0, count - end) * ROW };
}
