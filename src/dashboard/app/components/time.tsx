import { signal } from '@preact/signals';
import { stored } from '../api/stored.js';
import { absolute, duration, relative } from '../format/time.js';
import { language, t } from '../words/index.js';

/** Times in the reader's zone, or in UTC. */
export const zone = stored<'local' | 'utc'>('zone', 'local');
export const isUtc = (): boolean => zone.value === 'utc';

/** The time of this browser, each second while the page is seen: one timer for all of the page. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

/** `3 min ago`. The whole time stands in the tooltip, and is what a copy of the text has. */
export function Time({ at }: { at: string | null | undefined }) {
  if (!at) return <span class="quiet">–</span>;
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={absolute(time, language.value, isUtc())}>
      {relative(time, now.value, language.value)}
    </time>
  );
}

/** The whole time, for a sentence. */
export const wholeTime = (at: string): string => absolute(Date.parse(at), language.value, isUtc());

/** The whole time, as in a history. */
export const FullTime = ({ at }: { at: string }) => (
  <time dateTime={at} title={at}>
    {wholeTime(at)}
  </time>
);

export const Duration = ({ ms }: { ms: number | null }) => (
  <span class="number">{ms === null ? t('common.none') : duration(ms, language.value)}</span>
);
