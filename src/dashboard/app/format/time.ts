/** Words of units, by language. `narrow` units of Intl would read `3m`, which may be minutes or months. */
const UNITS = {
  en: { ms: ' ms', s: ' s', min: ' min', h: ' h', d: ' d' },
  zh: { ms: ' 毫秒', s: ' 秒', min: ' 分', h: ' 小时', d: ' 天' },
} as const;
export type Language = keyof typeof UNITS;

/** `840 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: at most two units. */
export function duration(ms: number, language: Language): string {
  const unit = UNITS[language];
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole}${unit.ms}`;
  const tenths = Math.round(whole / 100) / 10;
  if (tenths < 10) return `${tenths}${unit.s}`;
  const seconds = Math.round(whole / 1000);
  if (seconds < 60) return `${seconds}${unit.s}`;
  if (seconds < 3600) return two(seconds, 60, unit.min, 1, unit.s);
  if (seconds < 86_400) return two(seconds, 3600, unit.h, 60, unit.min);
  return two(seconds, 86_400, unit.d, 3600, unit.h);
}

function two(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeUnit}${rest === 0 ? '' : ` ${rest}${smallUnit}`}`;
}

/** `3 min ago`, `in 2 h`, `now`: one unit. */
export function relative(time: number, now: number, language: Language): string {
  const seconds = Math.trunc((time - now) / 1000);
  const size = Math.abs(seconds);
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  if (size < 1) return format.format(0, 'second');
  if (size < 60) return format.format(seconds, 'second');
  if (size < 3600) return format.format(Math.trunc(seconds / 60), 'minute');
  if (size < 86_400) return format.format(Math.trunc(seconds / 3600), 'hour');
  return format.format(Math.trunc(seconds / 86_400), 'day');
}

/** The date and the time, in the zone of the reader or in UTC, with the zone's name. */
export const absolute = (time: number, language: Language, isUtc: boolean, timeZone?: string): string =>
  new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    timeZone: isUtc ? 'UTC' : timeZone,
  }).format(time);

/** The hour and the minute, for the ends of an axis; with the day if the axis is longer than a day. */
export const axisTime = (time: number, language: Language, isUtc: boolean, isLong: boolean): string =>
  new Intl.DateTimeFormat(language, {
    ...(isLong ? { month: 'short', day: 'numeric' } : {}),
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: isUtc ? 'UTC' : undefined,
  }).format(time);
