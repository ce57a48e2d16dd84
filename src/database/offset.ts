/** An offset from UTC as ISO 8601 writes it, between -14:59 and +14:59. */
export const ISO_OFFSET = /^([+-])(0\d|1[0-4]):([0-5]\d)$/;

/** Minutes of an ISO 8601 offset: `+08:00` is 480. */
export function offsetMinutes(offset: string): number {
  const match = ISO_OFFSET.exec(offset);
  if (!match) throw new RangeError(`timeZone must be an offset such as +08:00, not ${JSON.stringify(offset)}`);
  const [, sign, hours, minutes] = match;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** An offset in minutes as ISO 8601 writes it. */
export function isoOffset(minutes: number): string {
  if (minutes === 0) return 'Z';
  const pad = (n: number) => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}
