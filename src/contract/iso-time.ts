/** The most times that are remembered. */
const MOST = 1000;
const known = new Map<number, string>();

/**
 * A time as clients see it: ISO 8601 in UTC, with milliseconds. Tasks of one transaction mostly have the same times, and
 * writing one takes ten times as long as looking it up, so the last ones are remembered.
 */
export function isoTime(time: Date | null | undefined): string | null {
  if (!time) return null;
  const milliseconds = time.getTime();
  let text = known.get(milliseconds);
  if (text === undefined) {
    text = time.toISOString();
    if (known.size >= MOST) known.clear();
    known.set(milliseconds, text);
  }
  return text;
}
