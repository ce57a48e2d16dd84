/** The most times that are remembered. */
const MOST = 1000;
const known = new Map<string, number>();

/**
 * The time of a cell: ISO 8601 text, or milliseconds since 1970. Rows of one transaction mostly have the same times, and
 * a text takes five times as long to parse as to look up, so the last ones are remembered.
 */
export function readTime(cell: string | number | null): Date | null {
  if (cell === null) return null;
  if (typeof cell === 'number') return new Date(cell);
  let time = known.get(cell);
  if (time === undefined) {
    time = Date.parse(cell);
    if (known.size >= MOST) known.clear();
    known.set(cell, time);
  }
  return new Date(time);
}
